import { DomainError } from '../core/errors.ts';
import type { ProjectionProgress } from './progress.ts';

/** How long a query waits for its projection, and a command for the projections that the next queries read, in milliseconds. */
export const PROJECTION_WAIT_MS = 2_000;

/**
 * Waits until the projections that a query reads have taken in what its asker has seen (`X-Min-Position`).
 * @throws DomainError `unavailable`, code `projection_behind`, after two seconds.
 */
export async function afterMinPosition(
  progress: Pick<ProjectionProgress, 'waitFor'>,
  projections: readonly string[],
  minPosition: bigint | undefined,
  signal?: AbortSignal,
): Promise<void> {
  if (minPosition === undefined) return;
  const passed = await Promise.all(projections.map((name) => progress.waitFor(name, minPosition, { timeoutMs: PROJECTION_WAIT_MS, signal })));
  if (passed.every(Boolean)) return;
  throw new DomainError('unavailable', 'projection_behind', 'The read model has not taken in that position yet. Try again in a moment.', { retryAfter: 1 });
}

/** Waits until what a command appended can be seen by the queries that read these projections. Answers whether it can. */
export async function afterOwnWrite(
  progress: Pick<ProjectionProgress, 'waitFor'>,
  projections: readonly string[],
  { stream, position }: { readonly stream: string; readonly position: bigint },
  signal?: AbortSignal,
): Promise<boolean> {
  const passed = await Promise.all(
    projections.map((name) => progress.waitFor(name, position, { stream, timeoutMs: PROJECTION_WAIT_MS, signal })),
  );
  return passed.every(Boolean);
}
