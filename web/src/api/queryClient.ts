import { QueryClient, type InvalidateQueryFilters } from '@tanstack/react-query';
import { ApiError } from './apiError.ts';

/** Waits a second, then two, then four. A request that was refused is not repeated. */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      // A server on this machine answers also without a network.
      networkMode: 'always',
      retry: (failures, error) => failures < 2 && (!(error instanceof ApiError) || error.isPassing),
    },
    mutations: { networkMode: 'always' },
  },
});

/**
 * Reads queries again because something has happened. One that is being read for the first time is read once more afterwards: its
 * answer may be from before.
 */
export async function reread(filters: InvalidateQueryFilters): Promise<void> {
  const first = queryClient
    .getQueryCache()
    .findAll(filters)
    .filter(({ state }) => state.data === undefined);
  await Promise.all(first.map(({ promise }) => promise?.catch(() => undefined)));
  await queryClient.invalidateQueries(filters);
}
