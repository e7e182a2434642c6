import { DomainError } from '../../core/errors.ts';
import type { ProjectionProgress } from '../../core/projectionProgress.ts';
import type { RouteRequest } from '../route.ts';

/** As long as API.md lets a request wait for a read model. */
const LONGEST_WAIT_MS = 2_000;

const LARGEST_POSITION = 2n ** 63n - 1n;

/** Reads `X-Min-Position`. @throws DomainError when it is not a position. */
export function parseMinPosition(header: string | string[] | undefined): bigint | undefined {
  if (header === undefined) return undefined;
  const position = typeof header === 'string' && /^\d{1,19}$/.test(header) ? BigInt(header) : undefined;
  if (position === undefined || position > LARGEST_POSITION) {
    throw new DomainError(
      'invalid',
      'invalid_min_position',
      'X-Min-Position must be a position as X-Event-Position gave it.',
    );
  }
  return position;
}

/** For queries: answers once the projections have passed the position that the client has seen. @throws DomainError `projection_behind`. */
export async function untilMinPosition(
  progress: Pick<ProjectionProgress, 'waitFor'>,
  projections: readonly string[],
  { minPosition, signal }: Pick<RouteRequest<unknown, unknown, unknown>, 'minPosition' | 'signal'>,
): Promise<void> {
  if (minPosition === undefined) return;
  const passed = await Promise.all(
    projections.map((name) => progress.waitFor(name, minPosition, { timeoutMs: LONGEST_WAIT_MS, signal })),
  );
  if (passed.includes(false)) signal.throwIfAborted();
  if (passed.includes(false)) {
    throw new DomainError(
      'unavailable',
      'projection_behind',
      'This view has not caught up with that position yet; try again.',
      { retryAfter: 1 },
    );
  }
}

/** For commands: whether the projections, which the client reads next, have taken the command in. */
export async function isShown(
  progress: Pick<ProjectionProgress, 'waitFor'>,
  projections: readonly string[],
  written: { readonly stream: string; readonly position: bigint },
  signal?: AbortSignal,
): Promise<boolean> {
  const { stream, position } = written;
  try {
    const passed = await Promise.all(
      projections.map((name) =>
        progress.waitFor(name, position, { timeoutMs: LONGEST_WAIT_MS, stream, ...(signal && { signal }) }),
      ),
    );
    return !passed.includes(false);
  } catch (error) {
    // The command is done; that nobody waits any longer must not turn its answer into an error.
    if (signal?.aborted === true) return false;
    throw error;
  }
}
