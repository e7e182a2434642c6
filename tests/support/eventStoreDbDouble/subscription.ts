import type { ReadReq } from '@eventstore/db-client/generated/streams_pb.js';
import { pause } from '../../../src/core/abortable.ts';
import { LIVE_BUFFER_EVENTS, PAGE_EVENTS, timedOut, type Behaviour } from './behaviour.ts';
import type { DoubleLog, StoredEvent } from './log.ts';
import { caughtUpResponse, checkpointResponse, eventResponse, fellBehindResponse } from './messages.ts';
import { after, matcher } from './selection.ts';
import { send, type ReadCall } from './sending.ts';

export interface Subscription {
  /** Resolves when the subscription has ended. */
  run(): Promise<void>;
  /** Sends nothing more, without ending. */
  hang(): void;
  stop(): void;
}

/**
 * Reads pages of the log until it has caught up, then sends new events as they are appended. When it has fallen behind,
 * it reads pages again. A filtered subscription also sends checkpoints. Source: Enumerator.AllSubscription.cs,
 * Enumerator.AllSubscriptionFiltered.cs.
 */
export function createSubscription(
  call: ReadCall,
  options: ReadReq.Options,
  log: DoubleLog,
  behaviour: Behaviour,
): Subscription {
  const matches = matcher(options);
  const filter = options.getFilter();
  /** Events that are searched for one page. */
  const window = filter === undefined ? PAGE_EVENTS : filter.hasMax() ? filter.getMax() : PAGE_EVENTS;
  const interval = filter && window * filter.getCheckpointintervalmultiplier();
  let next = log.events.findIndex(after(options));
  if (next === -1) next = log.events.length;
  let live = false;
  let [done, hanging] = [false, false];
  let wake = (): void => undefined;
  let lastCheckpoint = -1n;

  const stopListening = log.onAppend(() => {
    if (live && behaviour.abortsSlowConsumers && log.events.length - next > LIVE_BUFFER_EVENTS) {
      call.emit('error', timedOut('Consumer too slow to handle event while live. Client resubscription required.'));
      stop();
    }
    wake();
  });

  function stop(): void {
    done = true;
    stopListening();
    wake();
  }

  async function checkpoint(position: bigint | undefined): Promise<void> {
    if (interval === undefined || position === undefined || position <= lastCheckpoint) return;
    lastCheckpoint = position;
    await send(call, checkpointResponse(position));
  }

  /**
   * Sends checkpoints at the ends of pages only. They can be a page behind: without a match they name the page's first
   * event.
   */
  async function catchUp(): Promise<void> {
    let passed: bigint | undefined;
    for (let searched = 0; !done && !hanging;) {
      if (behaviour.pageLatencyMs > 0) await pause(behaviour.pageLatencyMs);
      const begin = next;
      const page: StoredEvent[] = [];
      while (next < log.events.length && page.length < PAGE_EVENTS && next - begin < window) {
        const event = log.events[next++]!;
        if (matches(event)) page.push(event);
      }
      for (const event of page) {
        if (done || hanging) return;
        await send(call, eventResponse(event));
        passed = event.position;
      }
      if (next > begin && (passed ?? -1n) < log.events[begin]!.position) passed = log.events[begin]!.position;
      searched += next - begin;
      if (next === log.events.length) return checkpoint(passed);
      if (interval !== undefined && searched >= interval) {
        searched %= interval;
        await checkpoint(passed);
      }
    }
  }

  async function goLive(): Promise<void> {
    if (behaviour.saysCaughtUp && !hanging) await send(call, caughtUpResponse());
    live = true;
    for (let searched = 0; !done;) {
      if (hanging || next === log.events.length) {
        await new Promise<void>((resolve) => (wake = resolve));
        continue;
      }
      if (log.events.length - next > LIVE_BUFFER_EVENTS && !behaviour.abortsSlowConsumers) {
        if (behaviour.saysCaughtUp) await send(call, fellBehindResponse());
        break;
      }
      const event = log.events[next++]!;
      if (matches(event)) await send(call, eventResponse(event));
      if (++searched === interval) {
        searched = 0;
        await checkpoint(event.position);
      }
    }
    live = false;
  }

  return {
    run: async () => {
      try {
        while (!done) {
          await catchUp();
          if (!done) await goLive();
        }
      } finally {
        stop();
      }
    },
    hang: () => {
      hanging = true;
    },
    stop,
  };
}
