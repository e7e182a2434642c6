import type { Logger } from 'pino';
import { pause } from '../core/abortable.ts';
import type { EventSource, PartitionReader } from '../delivery/eventSource.ts';
import { within } from '../delivery/within.ts';
import type { EventBatch } from '../core/eventStore.ts';
import { createFailureLog } from '../telemetry/failureLog.ts';
import { applyBatches, type Applied, type ApplyOptions, type PartitionBatch } from './applyBatch.ts';
import { CheckpointBehind, readCheckpoints, Superseded } from './checkpoints.ts';
import { isNobodysFault } from './parking/parking.ts';

/** After this many failures of a batch its bad events are looked for. */
const FAILURES_BEFORE_ISOLATING = 3;
const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 5_000;
/** Checkpoints that only pass events of no interest are written this often, instead of with each batch. */
const IDLE_CHECKPOINT_MS = 1_000;
/**
 * After a transaction with few events: what follows closely is gathered. Measured at 500 likes a second, it halves the
 * slowest answers; a transaction each costs all that the machine has.
 */
const GATHER_MS = 8;
const FEW_EVENTS = 100;
/** A server that crashed may have lost its last commits (`transaction.ts`). With nothing new to take in, only a look tells. */
const LOOK_MS = 2_000;

export interface LaneOptions extends Omit<ApplyOptions, 'isolateAfter'> {
  /** How many there are in all, and which of them this lane takes in. */
  readonly partitions: number;
  readonly mine: readonly number[];
  readonly source: Pick<EventSource, 'open'>;
  readonly signal: AbortSignal;
  readonly log: Logger;
  /** After each commit, and each time that events of no interest were passed. `regressed` when it may be less than was said before. */
  onMoved(moved: Applied & { regressed?: boolean }): void;
  onState(state: LaneState): void;
}

/** `superseded`: another layout or version is in place. `failing`: trying again what failed. */
export type LaneState = 'running' | 'failing' | 'superseded';

/**
 * Takes partitions into one consumer's rows until the signal aborts, whatever has come of all of them in one transaction;
 * never throws, never gives up.
 */
export async function runLane(options: LaneOptions): Promise<void> {
  const { signal, log, consumer, mine, source } = options;
  const failed = createFailureLog(log.child({ consumer: consumer.name }));
  const readers = new Map<number, PartitionReader>();
  let failures = 0;
  while (!signal.aborted) {
    // What is still under way for a run that failed must not reach the next one.
    const run = new AbortController();
    try {
      for (const partition of mine) if (!readers.has(partition)) readers.set(partition, source.open(partition));
      await follow(options, readers, AbortSignal.any([signal, run.signal]), () => {
        failures = 0;
        options.onState('running');
      });
    } catch (error) {
      if (signal.aborted) break;
      options.onState(error instanceof Superseded ? 'superseded' : 'failing');
      failed(error, 'a consumer was held up; it goes on from its checkpoint');
      if (!(error instanceof CheckpointBehind)) await pause(backOff(failures++), signal);
    } finally {
      run.abort();
    }
  }
  for (const reader of readers.values()) reader.close();
}

/** `seen` may be ahead of what is written, by events of no interest. */
interface Place {
  readonly partition: number;
  written: bigint;
  seen: bigint;
}

async function follow(
  options: LaneOptions,
  readers: ReadonlyMap<number, PartitionReader>,
  signal: AbortSignal,
  onSuccess: () => void,
): Promise<void> {
  const wanted = new Set<string>(options.consumer.handles);
  const places = await placesOf(options);
  const arrivals = createArrivals(readers, signal);
  let writtenAt = performance.now();
  onSuccess();
  for (const place of places) {
    options.onMoved({ partition: place.partition, position: place.seen, changed: false, regressed: true });
    arrivals.request(place);
  }
  while (!signal.aborted) {
    const ahead = places.some(({ seen, written }) => seen > written);
    await arrivals.wait(ahead ? writtenAt + IDLE_CHECKPOINT_MS - performance.now() : LOOK_MS);
    const arrived = arrivals.take();
    if (!ahead && arrived.size === 0) {
      await checkWritten(options, places);
      continue;
    }
    const batches: PartitionBatch[] = places.map(({ partition, written, seen }) => {
      const batch = arrived.get(partition);
      return {
        partition,
        after: written,
        position: batch?.position ?? seen,
        events: (batch?.events ?? []).filter(({ type }) => wanted.has(type)),
      };
    });
    const due = batches.some(({ events }) => events.length > 0) || performance.now() - writtenAt >= IDLE_CHECKPOINT_MS;
    const moving = batches.filter(({ position, after }) => position > after);
    const applied = due
      ? await applyUntilDone(options, moving)
      : moving.map(({ partition, position }) => ({ partition, position, changed: false }));
    if (due) writtenAt = performance.now();
    for (const moved of applied) {
      const place = places.find(({ partition }) => partition === moved.partition)!;
      place.seen = moved.position;
      if (due) place.written = moved.position;
      options.onMoved(moved);
    }
    if (due) onSuccess();
    const taken = batches.reduce((sum, { events }) => sum + events.length, 0);
    if (taken > 0 && taken < FEW_EVENTS) await pause(GATHER_MS, signal);
    for (const place of places) if (arrived.has(place.partition)) arrivals.request(place);
  }
}

/** What has come of each partition since it was last taken. */
interface Arrivals {
  /** Asks for what follows the place. */
  request(place: Place): void;
  /** Until something is there, or `ms` have passed. Throws when a partition cannot be read. */
  wait(ms: number): Promise<void>;
  take(): ReadonlyMap<number, EventBatch>;
}

function createArrivals(readers: ReadonlyMap<number, PartitionReader>, signal: AbortSignal): Arrivals {
  let there = new Map<number, EventBatch>();
  let wake = Promise.withResolvers<void>();
  let failure: { error: unknown } | undefined;
  signal.addEventListener('abort', () => wake.resolve(), { once: true });
  return {
    request({ partition, seen }) {
      readers
        .get(partition)!
        .next(seen, signal)
        .then(
          (batch) => void there.set(partition, batch),
          (error: unknown) => (failure = { error }),
        )
        .finally(() => wake.resolve());
    },
    async wait(ms) {
      await within(wake.promise, ms);
      signal.throwIfAborted();
      if (failure !== undefined) throw failure.error;
    },
    take() {
      const taken = there;
      there = new Map();
      wake = Promise.withResolvers();
      return taken;
    },
  };
}

/** Tries again for as long as it takes; parks what cannot be taken in. */
async function applyUntilDone(options: LaneOptions, batches: readonly PartitionBatch[]): Promise<Applied[]> {
  const { signal, log, consumer, partitions } = options;
  const failed = createFailureLog(log.child({ consumer: consumer.name }));
  let failures = 0;
  for (let attempts = 0; ; attempts++) {
    try {
      const isolateAfter = failures < FAILURES_BEFORE_ISOLATING ? undefined : failures;
      const { applied, parked } = await applyBatches({ ...options, isolateAfter }, partitions, batches);
      if (parked > 0)
        log.error({ consumer: consumer.name, parked }, 'events were parked; see the parked events of this consumer');
      return applied;
    } catch (error) {
      if (error instanceof CheckpointBehind || error instanceof Superseded) throw error;
      signal.throwIfAborted();
      if (!isNobodysFault(error)) failures++;
      options.onState('failing');
      failed(error, 'a batch could not be taken in; trying again');
      await pause(backOff(attempts), signal);
      signal.throwIfAborted();
    }
  }
}

async function placesOf({ pool, schema, consumer, partitions, mine }: LaneOptions): Promise<Place[]> {
  const rows = await readCheckpoints(pool, schema);
  const own = rows.filter(
    (row) => mine.includes(row.partition) && row.partitions === partitions && row.version === consumer.version,
  );
  if (own.length !== mine.length) throw new Superseded(schema);
  return own.map(({ partition, position }) => ({ partition, written: position, seen: position }));
}

/** @throws CheckpointBehind, Superseded */
async function checkWritten(options: LaneOptions, places: readonly Place[]): Promise<void> {
  for (const { partition, written } of await placesOf(options)) {
    if (written < places.find((place) => place.partition === partition)!.written)
      throw new CheckpointBehind({ partition, position: written });
  }
}

function backOff(failures: number): number {
  return Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(failures, 10));
}
