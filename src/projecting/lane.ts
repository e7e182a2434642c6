import type { Logger } from 'pino';
import { pause } from '../core/abortable.ts';
import type { PartitionReader } from '../delivery/eventSource.ts';
import { applyBatch, type Applied, type ApplyOptions, type PartitionBatch } from './applyBatch.ts';
import { CheckpointBehind, readCheckpoints, Superseded } from './checkpoints.ts';
import { isNobodysFault, loggable } from './parking.ts';

/** After this many failures of a batch its bad events are looked for. */
const FAILURES_BEFORE_ISOLATING = 3;
const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 5_000;
/** A checkpoint that only passes events of no interest is written this often, instead of with each batch. */
const IDLE_CHECKPOINT_MS = 1_000;

export interface LaneOptions extends Omit<ApplyOptions, 'isolateAfter'> {
  readonly partition: number;
  readonly partitions: number;
  readonly reader: PartitionReader;
  readonly signal: AbortSignal;
  readonly log: Logger;
  /** After each commit, and each time that events of no interest were passed. `regressed` when it is less than was said before. */
  onMoved(moved: { position: bigint; changed: boolean; regressed?: boolean }): void;
  onState(state: LaneState): void;
}

/** `superseded`: another layout or version is in place. `failing`: trying again what failed. */
export type LaneState = 'running' | 'failing' | 'superseded';

/** Takes one partition into one consumer's rows until the signal aborts; never throws, never gives up. */
export async function runLane(options: LaneOptions): Promise<void> {
  const { reader, signal, log, consumer } = options;
  let failures = 0;
  while (!signal.aborted) {
    try {
      await follow(options, () => {
        failures = 0;
        options.onState('running');
      });
    } catch (error) {
      if (signal.aborted) break;
      options.onState(error instanceof Superseded ? 'superseded' : 'failing');
      log.warn({ error: loggable(error), consumer: consumer.name, partition: options.partition }, 'a consumer was held up; it goes on from its checkpoint');
      await pause(backOff(failures++), signal);
    }
  }
  reader.close();
}

async function follow(options: LaneOptions, onSuccess: () => void): Promise<void> {
  const { reader, signal, partition, partitions, consumer } = options;
  const wanted = new Set<string>(consumer.handles);
  let checkpoint = await ownPosition(options);
  let seen = checkpoint;
  let written = Date.now();
  onSuccess();
  options.onMoved({ position: seen, changed: false, regressed: true });
  while (!signal.aborted) {
    const patience = seen > checkpoint ? written + IDLE_CHECKPOINT_MS - Date.now() : Infinity;
    const batch = await reader.next(seen, signal, patience);
    const { position } = batch;
    const events = batch.events.filter(({ type }) => wanted.has(type));
    if (events.length === 0 && Date.now() - written < IDLE_CHECKPOINT_MS) {
      seen = position;
      options.onMoved({ position: seen, changed: false });
      continue;
    }
    try {
      const applied = await applyUntilDone(options, { partition, partitions, after: checkpoint, position, events });
      checkpoint = seen = applied.position;
      written = Date.now();
      onSuccess();
      options.onMoved(applied);
    } catch (error) {
      // The server lost its last commits: the log still has them.
      if (!(error instanceof CheckpointBehind)) throw error;
      checkpoint = seen = error.position;
      options.onMoved({ position: seen, changed: true, regressed: true });
    }
  }
}

/** Tries again for as long as it takes; parks what cannot be taken in. */
async function applyUntilDone(options: LaneOptions, batch: PartitionBatch): Promise<Applied> {
  const { signal, log, consumer } = options;
  let failures = 0;
  for (let attempts = 0; ; attempts++) {
    try {
      const applied = await applyBatch({ ...options, isolateAfter: failures < FAILURES_BEFORE_ISOLATING ? undefined : failures }, batch);
      if (applied.parked > 0) log.error({ consumer: consumer.name, parked: applied.parked }, 'events were parked; see the parked events of this consumer');
      return applied;
    } catch (error) {
      if (error instanceof CheckpointBehind || error instanceof Superseded) throw error;
      signal.throwIfAborted();
      if (!isNobodysFault(error)) failures++;
      options.onState('failing');
      log.warn({ error: loggable(error), consumer: consumer.name, position: String(batch.position) }, 'a batch could not be taken in; trying again');
      await pause(backOff(attempts), signal);
    }
  }
}

async function ownPosition({ pool, schema, consumer, partition, partitions }: LaneOptions): Promise<bigint> {
  const rows = await readCheckpoints(pool, schema);
  const own = rows.find((row) => row.partition === partition && row.partitions === partitions && row.version === consumer.version);
  if (own === undefined) throw new Superseded(schema);
  return own.position;
}

function backOff(failures: number): number {
  return Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(failures, 10));
}
