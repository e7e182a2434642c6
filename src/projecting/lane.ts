import type { Logger } from 'pino';
import { pause } from '../core/abortable.ts';
import { backOff } from '../core/backOff.ts';
import { createWakeUp } from '../core/wakeUp.ts';
import type { EventSource, PartitionReader } from '../delivery/eventSource.ts';
import type { EventBatch } from '../core/eventStore.ts';
import { withTimeout } from '../core/withTimeout.ts';
import { createFailureLog, type FailureLog } from '../telemetry/failureLog.ts';
import { noTracing, type SpanFacts, type Tracing } from '../telemetry/tracing.ts';
import type { Applied, ApplyOptions, PartitionBatch } from './applyBatch.ts';
import type { Consumer } from './consumer.ts';
import { withDiscardedRead } from './parking/discarded.ts';
import { CheckpointBehind, isDeclared, readCheckpoints, Superseded } from './checkpoints.ts';
import { isEnvironmental } from './parking/parking.ts';
import type { Transactions } from './transactions.ts';

/** After this many failures of a batch, the events that fail are isolated. */
const FAILURES_BEFORE_ISOLATING = 3;
const RETRY = { firstMs: 50, longestMs: 5_000 };
/** Checkpoints that pass only events of other types are written this often, instead of with each batch. */
const IDLE_CHECKPOINT_MS = 1_000;
/**
 * A server that crashed may have lost its last commits (`transaction.ts`). While there are no new events, the
 * checkpoints are compared this often.
 */
const LOOK_MS = 2_000;

export interface LaneOptions extends Omit<ApplyOptions, 'isolateAfter'> {
  /** How many partitions there are in all, and which of them this lane applies. */
  readonly partitions: number;
  readonly mine: readonly number[];
  readonly source: Pick<EventSource, 'open'>;
  readonly transactions: Transactions;
  readonly signal: AbortSignal;
  readonly logger: Logger;
  readonly tracing?: Tracing | undefined;
  /**
   * Called after each commit, and each time that events of other types were passed. `regressed` when the position may
   * be less than the last one.
   */
  onMoved(moved: Applied & { regressed?: boolean }): void;
  onState(state: LaneState): void;
  /** Called after each batch with events, with the seconds that all its tries took. */
  onApplied(events: number, seconds: number): void;
}

/** `superseded`: another layout, version or variant is in place. `failing`: the last attempt failed, and is repeated. */
export type LaneState = 'running' | 'failing' | 'superseded';

/**
 * Applies partitions to one consumer's rows until the signal aborts. All events that have arrived, of any partition, share
 * one transaction. Never throws, never gives up.
 */
export async function runLane(options: LaneOptions): Promise<void> {
  const { signal, logger, consumer, mine, source } = options;
  const failed = createFailureLog(logger.child({ consumer: consumer.name }));
  const readers = new Map<number, PartitionReader>();
  let failures = 0;
  while (!signal.aborted) {
    // Reads of a run that failed must not deliver to the next run.
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
      failed(error, 'a consumer was interrupted; it continues from its checkpoint');
      if (!(error instanceof CheckpointBehind)) await pause(backOff(++failures, RETRY), signal);
    } finally {
      run.abort();
    }
  }
  for (const reader of readers.values()) reader.close();
}

/** `seen` may be ahead of `written`, by events of other types. */
interface Place {
  readonly partition: number;
  written: bigint;
  seen: bigint;
}

async function follow(
  given: LaneOptions,
  readers: ReadonlyMap<number, PartitionReader>,
  signal: AbortSignal,
  onSuccess: () => void,
): Promise<void> {
  const options = await withDiscardedRead(given);
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
    const begun = performance.now();
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
    const events = batches.reduce((sum, { events }) => sum + events.length, 0);
    if (events > 0) options.onApplied(events, (performance.now() - begun) / 1_000);
    await options.transactions.gather({ events, partitions: options.partitions }, signal);
    for (const place of places) if (arrived.has(place.partition)) arrivals.request(place);
  }
}

/** The batches that have arrived, by partition, since the last `take`. */
interface Arrivals {
  /** Requests the events after the place. */
  request(place: Place): void;
  /** Waits until a batch arrives, or until `ms` have passed. Throws when a partition cannot be read. */
  wait(ms: number): Promise<void>;
  take(): ReadonlyMap<number, EventBatch>;
}

function createArrivals(readers: ReadonlyMap<number, PartitionReader>, signal: AbortSignal): Arrivals {
  let arrived = new Map<number, EventBatch>();
  const arrival = createWakeUp();
  let failure: { error: unknown } | undefined;
  return {
    request({ partition, seen }) {
      readers
        .get(partition)!
        .next(seen, signal)
        .then(
          (batch) => void arrived.set(partition, batch),
          (error: unknown) => (failure = { error }),
        )
        .finally(() => arrival.wake());
    },
    async wait(ms) {
      // A timeout wakes too, so that this wait leaves nothing behind.
      if (arrived.size === 0 && failure === undefined)
        await withTimeout(arrival.next(signal), ms, () => arrival.wake());
      signal.throwIfAborted();
      if (failure !== undefined) throw failure.error;
    },
    take() {
      const taken = arrived;
      arrived = new Map();
      return taken;
    },
  };
}

/** Tries again for as long as it takes. Parks events that cannot be applied. */
async function applyUntilDone(options: LaneOptions, batches: readonly PartitionBatch[]): Promise<readonly Applied[]> {
  const { signal, logger, tracing = noTracing, consumer, partitions, transactions } = options;
  // Made when it is needed: a child logger costs more than most of a small batch.
  let failed: FailureLog | undefined;
  const processing = { kind: 'consumer', attributes: attributesOf(consumer, batches) } as const;
  let failures = 0;
  for (let attempts = 1; ; attempts++) {
    try {
      const isolateAfter = failures < FAILURES_BEFORE_ISOLATING ? undefined : failures;
      const { applied, parked } = await tracing.continued(
        `process ${consumer.name}`,
        processing,
        () => traceparentsOf(batches),
        () => transactions.apply({ options: { ...options, isolateAfter }, partitions, batches }),
      );
      if (parked > 0)
        logger.error(
          { consumer: consumer.name, parked },
          'events were parked; "projections parked list" shows them with their errors',
        );
      return applied;
    } catch (error) {
      if (error instanceof CheckpointBehind || error instanceof Superseded) throw error;
      signal.throwIfAborted();
      if (!isEnvironmental(error)) failures++;
      options.onState('failing');
      failed ??= createFailureLog(logger.child({ consumer: consumer.name }));
      failed(error, 'a batch could not be applied; trying again');
      await pause(backOff(attempts, RETRY), signal);
      signal.throwIfAborted();
    }
  }
}

/** By the semantic conventions for messaging. */
function attributesOf({ name }: Consumer, batches: readonly PartitionBatch[]): SpanFacts['attributes'] {
  return {
    'messaging.system': 'reelstream',
    'messaging.operation.type': 'process',
    'messaging.operation.name': 'process',
    'messaging.consumer.group.name': name,
    'messaging.batch.message_count': batches.reduce((sum, { events }) => sum + events.length, 0),
  };
}

function* traceparentsOf(batches: readonly PartitionBatch[]): Generator<string | undefined> {
  for (const { events } of batches) for (const { metadata } of events) yield metadata.traceparent;
}

async function placesOf({ pool, schema, consumer, partitions, mine }: LaneOptions): Promise<Place[]> {
  const rows = await readCheckpoints(pool, schema);
  const own = rows.filter(
    (row) => mine.includes(row.partition) && row.partitions === partitions && isDeclared(row, consumer),
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
