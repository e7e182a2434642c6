import { excludeSystemEvents, type AllStreamResolvedEvent } from '@eventstore/db-client';
import type { Logger } from 'pino';
import { anySignal, pause } from '../../core/abortable.ts';
import type { RecordedEvent } from '../../core/event.ts';
import { EventStoreUnavailable } from '../../core/eventStore.ts';
import { createFailureLog } from '../../telemetry/failureLog.ts';
import { createHeadWatch } from '../headWatch.ts';
import { asPortError, isTransient, NoAnswer } from './clientErrors.ts';
import { clientPosition, isOurs, positionOf, toRecorded } from './clientEvents.ts';
import { buffering, chunks } from './clientStream.ts';
import type { EventStoreDbConnection } from './connection.ts';
import { pauseAfter } from './retry.ts';

/** Events kept in memory for subscriptions that are nearly up to date. */
const MOST_KEPT = 5_000;

/** The live end of the log: one subscription on the server serves all subscriptions of this process. */
export interface LogTail {
  /** Waits until the log has gone beyond a position, and answers how far it reaches. */
  beyond(position: bigint, signal: AbortSignal): Promise<bigint>;
  /** The first events after a position, at most `most`; undefined when they must be read from the log. */
  following(position: bigint, most: number): readonly RecordedEvent[] | undefined;
  /** Aborts when the server denies the subscription. A retry could not help, so the waiters would wait for ever. */
  readonly refused: AbortSignal;
}

export interface LogTailOptions {
  readonly connection: EventStoreDbConnection;
  readonly head: () => Promise<bigint>;
  /** Silence of the subscription in milliseconds after which the log's head is read. */
  readonly watchdogMs: number;
  readonly signal: AbortSignal;
  readonly logger: Logger | undefined;
}

/**
 * The server's subscription only makes events arrive sooner; no event depends on it. When it ends, breaks or hangs, a
 * new one begins at the log's head, and every reader reads on from its own position.
 */
export function createLogTail({ connection, head, watchdogMs, signal, logger }: LogTailOptions): LogTail {
  const watch = createHeadWatch();
  const failed = logger && createFailureLog(logger);
  let refused = new AbortController();
  /** All events of our log after `since`, up to the last one here. */
  let kept: RecordedEvent[] = [];
  let since = 0n;
  let running: Promise<void> | undefined;

  async function run(): Promise<void> {
    for (let failures = 0; !signal.aborted;) {
      try {
        const from = await head();
        watch.saw(from);
        [kept, since] = [[], from];
        await follow(from, () => (failures = 0));
        logger?.warn('EventStoreDB ended the live subscription; a new one begins');
      } catch (error) {
        if (signal.aborted) return;
        if (!isTransient(error) && !(error instanceof EventStoreUnavailable)) return giveUp(error);
        failed?.(error, 'the live subscription of EventStoreDB was lost; a new one begins');
      }
      // Each new subscription begins with reading the head, so this pause is also the delay of events meanwhile.
      await pause(Math.min(pauseAfter(++failures), watchdogMs), signal);
    }
  }

  function giveUp(error: unknown): void {
    const denied = refused;
    [refused, running] = [new AbortController(), undefined];
    denied.abort(asPortError(error, 'subscribing'));
  }

  async function follow(from: bigint, onEvents: () => void): Promise<void> {
    const subscription = connection.client.subscribeToAll(
      { fromPosition: clientPosition(from), filter: excludeSystemEvents(), requiresLeader: true },
      buffering(MOST_KEPT),
    );
    const ending = anySignal(connection.replaced, signal);
    let last = from;
    let silent = false;
    for await (const chunk of chunks<AllStreamResolvedEvent>(subscription, {
      most: MOST_KEPT,
      idleMs: watchdogMs,
      signal: ending,
    })) {
      if (chunk.length === 0) {
        const reached = await head();
        watch.saw(reached);
        // Once proves nothing: the event may have been on its way.
        if (reached > last && silent)
          throw new NoAnswer(`the live subscription, while the log reached ${reached},`, 2 * watchdogMs);
        silent = reached > last;
        continue;
      }
      silent = false;
      onEvents();
      for (const { event } of chunk) {
        if (event === undefined || !isOurs(event) || positionOf(event) <= last) continue;
        kept.push(toRecorded(event));
        last = positionOf(event);
      }
      if (kept.length > MOST_KEPT) since = kept.splice(0, kept.length - MOST_KEPT / 2).at(-1)!.position;
      watch.saw(last);
    }
  }

  return {
    get refused() {
      return refused.signal;
    },
    beyond: (position, until) => {
      running ??= run();
      return watch.beyond(position, until);
    },
    following: (position, most) => {
      if (position < since || position >= (kept.at(-1)?.position ?? 0n)) return undefined;
      const first = kept.findLastIndex((event) => event.position <= position) + 1;
      return kept.slice(first, first + most);
    },
  };
}
