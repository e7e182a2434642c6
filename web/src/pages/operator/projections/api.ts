import { queryOptions } from '@tanstack/react-query';
import { answerOf, api } from '../../../api/client.ts';
import { formatCounted } from '../../../videos/format.ts';
import type { components } from '../../../api/schema.d.ts';

export type Projection = components['schemas']['Projection'];
export type Operation = components['schemas']['ProjectionOperation'];
export type Verification = components['schemas']['ProjectionVerification'];
export type ParkedEvent = components['schemas']['ParkedEvent'];

const BASE = '/api/v1/admin/projections';

export const isOpen = (operation: { readonly state: string } | null): boolean =>
  operation !== null && (operation.state === 'waiting' || operation.state === 'running');

export const projectionsQuery = queryOptions({
  queryKey: ['operator', 'projections'],
  queryFn: async ({ signal }) => (await answerOf(api.GET(BASE, { signal }))).data,
  // What is under way moves.
  refetchInterval: ({ state: { data } }) =>
    data?.some(
      ({ rebuild, rollback, verification, upgrade }) => upgrade || [rebuild, rollback, verification].some(isOpen),
    )
      ? 1_000
      : 5_000,
});

export const parkedQuery = (name: string) =>
  queryOptions({
    queryKey: ['operator', 'projections', 'parked', name],
    queryFn: async ({ signal }) =>
      await answerOf(api.GET(`${BASE}/{name}/parked`, { params: { path: { name }, query: { limit: 100 } }, signal })),
    refetchInterval: 10_000,
  });

const at = (name: string) => ({ params: { path: { name } } });

export type Action = 'rebuild' | 'cancel' | 'verify' | 'rollback';

/** Asks for it. Resolves with what the server says. */
export async function act(name: string, action: Action): Promise<string> {
  const call = {
    rebuild: () => answerOf(api.POST(`${BASE}/{name}/rebuild`, at(name))),
    cancel: () => answerOf(api.DELETE(`${BASE}/{name}/rebuild`, at(name))),
    verify: () => answerOf(api.POST(`${BASE}/{name}/verify`, at(name))),
    rollback: () => answerOf(api.POST(`${BASE}/{name}/rollback`, at(name))),
  }[action];
  return `${name}: ${(await call()).message}`;
}

export async function retryParked(name: string, id: string): Promise<string> {
  const { data } = await answerOf(api.POST(`${BASE}/{name}/parked/{id}/retry`, { params: { path: { name, id } } }));
  const applied = `${formatCounted(data.applied, 'parked event')} applied`;
  return data.parked === 0 ? `${applied}. The stream is free again.` : `${applied}, ${data.parked} still parked.`;
}

export async function discardParked(name: string, id: string, reason: string): Promise<string> {
  const path = { name, id };
  const { message } = await answerOf(api.DELETE(`${BASE}/{name}/parked/{id}`, { params: { path }, body: { reason } }));
  return message;
}
