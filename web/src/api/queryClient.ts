import { QueryClient } from '@tanstack/react-query';
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
