import { isDeepStrictEqual } from 'node:util';
import type pg from 'pg';
import type { Logger } from 'pino';
import { pause } from '../core/abortable.ts';
import type { EventCodec } from '../core/eventCodec.ts';
import type { Assignment, EventSource } from '../delivery/eventSource.ts';
import type { EventStore } from '../core/eventStore.ts';
import { StartError } from '../core/startError.ts';
import { createFailureLog } from '../telemetry/failureLog.ts';
import type { ApplyOptions } from './applyBatch.ts';
import { install } from './checkpoints.ts';
import type { Consumer } from './consumer.ts';
import { runLane, type LaneState } from './lane.ts';
import { ensureLayout } from './rebuilding/layout.ts';
import { createLogId } from '../core/logId.ts';
import type { PartitionMoved } from './progress/progressTracker.ts';
import { rebuild, RebuildUnderWay } from './rebuilding/rebuild.ts';
import { refuseAnotherLog } from './rebuilding/sameLog.ts';

const RETRY_MS = 1_000;

export interface ProjectorOptions {
  readonly pool: pg.Pool;
  /** Undecoded, as `decode` will have it. */
  readonly store: EventStore;
  readonly decode: EventCodec['decode'];
  readonly source: EventSource;
  readonly consumers: readonly Consumer[];
  readonly log: Logger;
  /** Hears how far each consumer is (`SharedProgress.moved`). */
  onMoved?(move: PartitionMoved): void;
}

interface Lane {
  readonly assignment: Assignment;
  stop(): Promise<void>;
}

export type ConsumerState = LaneState | 'starting' | 'rebuilding';

/** Runs consumers: the partitions of the log that the source assigns to this process go into their rows. */
export interface Projector {
  /**
   * Creates what is missing and begins. Consumers whose version is not the one in place are rebuilt beside it meanwhile.
   * @throws StartError when the read models are of another log.
   */
  start(): Promise<void>;
  /** Of each consumer. */
  states(): Record<string, ConsumerState>;
  /** Finishes the transactions under way. The source is the caller's to close. */
  stop(): Promise<void>;
}

export function createProjector(options: ProjectorOptions): Projector {
  const { pool, store, decode, source, consumers, log } = options;
  const stopping = new AbortController();
  const logId = createLogId(store);
  const states = new Map<string, ConsumerState>(consumers.map(({ name }) => [name, 'starting']));
  const failureLogs = new Map(consumers.map(({ name }) => [name, createFailureLog(log, 'error')]));
  const running: Promise<void>[] = [];
  let lastRebuild: Promise<unknown> = Promise.resolve();

  const applyOptions = (consumer: Consumer): ApplyOptions => ({ pool, consumer, schema: consumer.name, logId, decode });

  /** Answers the version in place. */
  async function check(consumer: Consumer): Promise<number> {
    const checkpoints = await install(pool, consumer, consumer.name);
    refuseAnotherLog(consumer.name, checkpoints, { id: await logId(), head: await store.head() });
    return checkpoints[0]!.version;
  }

  async function prepare(consumer: Consumer): Promise<void> {
    for (let version = await check(consumer); version !== consumer.version; version = await check(consumer)) {
      states.set(consumer.name, 'rebuilding');
      log.info(
        { consumer: consumer.name, from: version, to: consumer.version },
        'another version is in place; rebuilding beside it',
      );
      try {
        await oneAtATime(() => rebuild({ ...applyOptions(consumer), store, log, signal: stopping.signal }));
      } catch (error) {
        if (!(error instanceof RebuildUnderWay)) throw error;
        await pause(RETRY_MS, stopping.signal);
      }
    }
  }

  function oneAtATime(work: () => Promise<void>): Promise<void> {
    const done = lastRebuild.then(work);
    lastRebuild = done.catch(() => undefined);
    return done;
  }

  async function run(consumer: Consumer): Promise<void> {
    await untilDone(consumer, 'preparing', () => prepare(consumer));
    let lane: Lane | undefined;
    try {
      for await (const assignment of source.assignments(stopping.signal)) {
        if (lane !== undefined && isDeepStrictEqual(lane.assignment, assignment)) continue;
        await lane?.stop();
        lane = undefined;
        const { signal } = stopping;
        await untilDone(consumer, 'laying out', () =>
          ensureLayout({ ...applyOptions(consumer), store, signal }, assignment.partitions),
        );
        if (!signal.aborted) lane = startLane(consumer, assignment);
      }
    } finally {
      await lane?.stop();
    }
  }

  function startLane(consumer: Consumer, assignment: Assignment): Lane {
    const stop = new AbortController();
    const { name } = consumer;
    const ended = runLane({
      ...applyOptions(consumer),
      ...assignment,
      source,
      signal: stop.signal,
      log,
      onMoved: (moved) => options.onMoved?.({ projection: name, partitions: assignment.partitions, ...moved }),
      onState: (state) => states.set(name, state),
    });
    return {
      assignment,
      stop: () => {
        stop.abort(new Error('the lane is stopping'));
        return ended;
      },
    };
  }

  /** Tries until it works, or until the projector stops. */
  async function untilDone(consumer: Consumer, what: string, work: () => Promise<void>): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        return await work();
      } catch (error) {
        tellOf(consumer, what, error);
        await pause(RETRY_MS, stopping.signal);
      }
    }
  }

  function tellOf({ name }: Consumer, what: string, error: unknown): void {
    // The stop closes what the work uses.
    if (!stopping.signal.aborted) failureLogs.get(name)!(error, `${what} ${name} failed; trying again`);
  }

  return {
    async start() {
      for (const consumer of consumers) {
        if (stopping.signal.aborted) return;
        await check(consumer).catch((error: unknown) => {
          if (error instanceof StartError) throw error;
          tellOf(consumer, 'preparing', error);
        });
      }
      running.push(...consumers.map((consumer) => untilDone(consumer, 'running', () => run(consumer))));
    },
    states: () => Object.fromEntries(states),
    async stop() {
      stopping.abort();
      await Promise.all(running);
    },
  };
}
