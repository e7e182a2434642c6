import { excludeSystemEvents, type AllStreamResolvedEvent } from '@eventstore/db-client';
import type { Logger } from 'pino';
import { pause } from '../../core/abortable.ts';
import type { RecordedEvent } from '../../core/event.ts';
import { createFailureLog } from '../../telemetry/failureLog.ts';
import { EventStoreUnavailable } from '../../core/eventStore.ts';
import { ahead, bursts } from './bursts.ts';
import { whileConnected } from './calls.ts';
import type { EventStoreDbConnection } from './connection.ts';
import { asPortError, isTransient, NoAnswer } from './errors.ts';
import { clientPosition, isOurs, positionOf, toRecorded } from './events.ts';
import { backOff } from './retry.ts';
import { createHeadWatch } from '../headWatch.ts';

/** Events kept at hand for subscriptions that are nearly up to date. */
const MOST_KEPT = 5_000;

/** The live end of the log: one subscription on the server for all of this process's. */
export interface LogTail {
  /** A position beyond the given one that the log has reached, as soon as there is one. */
  beyond(position: bigint, signal: AbortSignal): Promise<bigint>;
  /** At most so many of the events that follow a position, the first of them foremost; undefined when they must be read from the log. */
  following(position: bigint, most: number): readonly RecordedEvent[] | undefined;
  /** Aborts when the server refuses what we ask, and will again: those who wait then would do so for ever. */
  readonly refused: AbortSignal;
}

export interface LogTailOptions {
  readonly connection: EventStoreDbConnection;
  readonly head: () => Promise<bigint>;
  /** How long the subscription may be silent before the log's head is looked at. */
  readonly watchdogMs: number;
  readonly signal: AbortSignal;
  readonly log: Logger | undefined;
}

/**
 * Nothing depends on the server's subscription but how soon one hears of an event: when it ends, breaks or hangs, the
 * log's head tells how far the log has got, its readers read on from where they are, and it is begun anew from the head.
 */
export function createLogTail({ connection, head, watchdogMs, signal, log }: LogTailOptions): LogTail {
  const watch = createHeadWatch();
  const failed = log && createFailureLog(log);
  let refused = new AbortController();
  /** All events of ours after `since`, up to the last one here. */
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
        log?.warn('EventStoreDB ended the live subscription; beginning it anew');
      } catch (error) {
        if (signal.aborted) return;
        if (!isTransient(error) && !(error instanceof EventStoreUnavailable)) return giveUp(error);
        failed?.(error, 'the live subscription of EventStoreDB is lost; beginning it anew');
      }
      // Each new beginning looks at the head, so this is also how late one hears of events meanwhile.
      await pause(Math.min(backOff(++failures), watchdogMs), signal);
    }
  }

  function giveUp(error: unknown): void {
    const those = refused;
    [refused, running] = [new AbortController(), undefined];
    those.abort(asPortError(error, 'subscribing'));
  }

  async function follow(from: bigint, onSign: () => void): Promise<void> {
    const subscription = connection.client.subscribeToAll(
      { fromPosition: clientPosition(from), filter: excludeSystemEvents(), requiresLeader: true },
      ahead(MOST_KEPT),
    );
    const ending = whileConnected(connection, signal);
    let last = from;
    let silent = false;
    for await (const burst of bursts<AllStreamResolvedEvent>(subscription, {
      most: MOST_KEPT,
      idleMs: watchdogMs,
      signal: ending,
    })) {
      if (burst.length === 0) {
        const reached = await head();
        watch.saw(reached);
        // Once may be a coincidence: the event could have been on its way.
        if (reached > last && silent)
          throw new NoAnswer(`the subscription, with the log at ${reached},`, 2 * watchdogMs);
        silent = reached > last;
        continue;
      }
      silent = false;
      onSign();
      for (const { event } of burst) {
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
