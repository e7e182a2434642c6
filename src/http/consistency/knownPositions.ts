import { abortable } from '../../core/abortable.ts';
import { DomainError } from '../../core/errors.ts';

/** A query must not hang on an event store that does. */
const LONGEST_WAIT_MS = 1_000;

/** What is known of the end of the event log. */
export interface KnownPositions {
  /** Resolves once it is certain that the log reaches this position, or when that cannot be found out. @throws DomainError `position_unknown`. */
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
 * positions beyond what is known, by one request at a time; those that come meanwhile share the next answer.
 */
export function createKnownPositions({ reached, head }: KnownPositionsOptions): KnownPositions {
  let known = 0n;
  let asking: Promise<void> | undefined;
  let next: Promise<void> | undefined;

  const isKnown = (position: bigint): boolean => position <= known || position <= (known = larger(known, reached()));

  async function ask(): Promise<void> {
    known = larger(known, await abortable(head(), AbortSignal.timeout(LONGEST_WAIT_MS)));
  }

  /** An answer that was asked for before this call may be older than the position in question. */
  function askAfresh(): Promise<void> {
    if (asking === undefined) {
      return (asking = ask().finally(() => (asking = undefined)));
    }
    return (next ??= asking
      .catch(() => undefined)
      .then(() => {
        next = undefined;
        return askAfresh();
      }));
  }

  return {
    async check(position) {
      if (isKnown(position)) return;
      try {
        await askAfresh();
      } catch {
        // Queries are answered while the event store is away.
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
