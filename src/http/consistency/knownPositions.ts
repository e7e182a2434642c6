import { coalesced } from '../../core/coalesced.ts';
import { DomainError } from '../../core/errors.ts';
import { EventStoreUnavailable } from '../../core/eventStore.ts';
import { withTimeout } from '../../core/withTimeout.ts';

/** Milliseconds. A query must not hang because the event store hangs. */
const LONGEST_WAIT_MS = 1_000;

/** What is known of the end of the event log. */
export interface KnownPositions {
  /** Resolves when the log reaches this position, or when the log cannot be asked. @throws DomainError `position_unknown`. */
  check(position: bigint): Promise<void>;
}

export interface KnownPositionsOptions {
  /** Positions that the log has certainly reached, without asking it. */
  readonly reached: () => bigint;
  /** Asks the log for the position of its last event. */
  readonly head: () => Promise<bigint>;
}

/**
 * Tells positions that do not exist from those that another process wrote a moment ago. The log is asked only about
 * positions beyond the known ones, one question at a time; checks that come meanwhile share the next answer. An answer to
 * a question from before the check may be older than the position in question.
 */
export function createKnownPositions({ reached, head }: KnownPositionsOptions): KnownPositions {
  let known = 0n;

  const isKnown = (position: bigint): boolean => position <= known || position <= (known = larger(known, reached()));

  const askLog = coalesced(async () => {
    const position = await withTimeout(head(), LONGEST_WAIT_MS, () => {
      throw new EventStoreUnavailable(`the event store did not answer within ${LONGEST_WAIT_MS} ms`);
    });
    known = larger(known, position);
  });

  return {
    async check(position) {
      if (isKnown(position)) return;
      try {
        await askLog();
      } catch {
        // Queries are answered also while the event store is not available.
        return;
      }
      if (isKnown(position)) return;
      throw new DomainError(
        'invalid',
        'position_unknown',
        'The log has no such position. Send in X-Min-Position what X-Event-Position said.',
        { fields: [{ path: 'X-Min-Position', message: 'There is no such position.' }] },
      );
    },
  };
}

function larger(one: bigint, other: bigint): bigint {
  return one > other ? one : other;
}
