import { seededRandom } from './random.ts';

/** Events on their way through Kafka to the rows, until API processes hear of it. Times in seconds. */
export interface LagOptions {
  readonly seed?: number;
  /** How long events arrive. The simulation goes on until all are applied. */
  readonly seconds: number;
  /** Events per second at a time. */
  readonly rate: (second: number) => number;
  readonly partitions: number;
  readonly members: number;
  /** How long a transaction takes besides its events, and how long each event. */
  readonly perTransaction: number;
  readonly perEvent: number;
  /** No member works from `from` to `to`, or only those below `members` (a part of them was killed). */
  readonly outage?: { readonly from: number; readonly to: number; readonly members: number };
}

export interface Lag {
  readonly median: number;
  readonly p99: number;
  readonly worst: number;
  /** From the end of the outage (or from the beginning) until events are applied within a second again. */
  readonly recovered: number;
  readonly events: number;
  readonly transactions: number;
}

/** The pauses of the relay, the source, the lane and the notifications: see the constants of these names there. */
const RELAY_GATHER = 0.01;
const FETCH_GATHER = 0.025;
const LANE_GATHER = 0.005;
const NOTIFY_GATHER = 0.015;
const FEW_EVENTS = 100;
const MOST_AT_ONCE = 5_000;
const LATE = 1;

/**
 * A queueing simulation with discrete events: events arrive at random (Poisson), the relay and the fetch delay each by up to their
 * pause, each member applies all that has arrived in its partitions in one transaction, and then pauses if that was little. The same
 * options give the same result.
 */
export function simulateLag({
  seed = 1,
  seconds,
  rate,
  partitions,
  members,
  perTransaction,
  perEvent,
  outage,
}: LagOptions): Lag {
  const random = seededRandom(seed);
  const queues = Array.from({ length: members }, () => [] as Arrived[]);
  for (let at = 0; ;) {
    at += -Math.log(1 - random()) / rate(at);
    if (at >= seconds) break;
    const available = at + random() * (RELAY_GATHER + FETCH_GATHER);
    queues[Math.floor(random() * partitions) % members]!.push({ at, available });
  }
  const lags: number[] = [];
  let transactions = 0;
  let lastLate = 0;
  for (const [member, queue] of queues.entries()) {
    queue.sort((a, b) => a.available - b.available);
    const away = outage !== undefined && member < outage.members ? outage : undefined;
    let now = 0;
    for (let next = 0; next < queue.length;) {
      now = Math.max(now, queue[next]!.available);
      if (away !== undefined && now >= away.from && now < away.to) now = away.to;
      let end = next;
      while (end < queue.length && end - next < MOST_AT_ONCE && queue[end]!.available <= now) end++;
      now += perTransaction + (end - next) * perEvent;
      transactions++;
      const heard = now + random() * NOTIFY_GATHER;
      for (const { at } of queue.slice(next, end)) {
        lags.push(heard - at);
        if (heard - at > LATE) lastLate = Math.max(lastLate, heard);
      }
      if (end - next < FEW_EVENTS) now += LANE_GATHER;
      next = end;
    }
  }
  lags.sort((a, b) => a - b);
  const part = (share: number): number => lags[Math.min(lags.length - 1, Math.floor(lags.length * share))] ?? 0;
  return {
    median: part(0.5),
    p99: part(0.99),
    worst: lags.at(-1) ?? 0,
    recovered: Math.max(0, lastLate - (outage?.to ?? 0)),
    events: lags.length,
    transactions,
  };
}

interface Arrived {
  readonly at: number;
  /** When it has come through Kafka. */
  readonly available: number;
}
