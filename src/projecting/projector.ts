import { isDeepStrictEqual } from 'node:util';
import pLimit, { type LimitFunction } from 'p-limit';
import type pg from 'pg';
import type { Logger } from 'pino';
import { pause } from '../core/abortable.ts';
import type { EventCodec } from '../core/eventCodec.ts';
import type { Assignment, EventSource } from '../delivery/eventSource.ts';
import type { EventStore } from '../core/eventStore.ts';
import { StartError } from '../core/startError.ts';
import { createFailureLog } from '../telemetry/failureLog.ts';
import type { Tracing } from '../telemetry/tracing.ts';
import type { ApplyOptions } from './applyBatch.ts';
import { isDeclared, type Checkpoint } from './checkpoints.ts';
import type { Consumer } from './consumer.ts';
import type { ReadDiscarded } from './parking/discarded.ts';
import { runLane, type LaneState } from './lane.ts';
import { ensureLayout } from './rebuilding/layout.ts';
import { createLogId } from '../core/logId.ts';
import type { PartitionMoved } from './progress/progressTracker.ts';
import { RebuildUnderWay } from './rebuilding/exclusively.ts';
import { rebuild } from './rebuilding/rebuild.ts';
import { refuseAnotherLog } from './rebuilding/sameLog.ts';
import { canShare, createSharedTransactions } from './sharedTransactions.ts';
import { adoptIfShort, installLive } from './tables/firstBuild.ts';
import { refuseChangedTables } from './tables/sameTables.ts';
import { ownTransactions } from './transactions.ts';
import { createWrittenRows, type WrittenRows } from './writtenRows.ts';

const RETRY_MS = 1_000;
/** How often a process of an older program looks whether its version is in place again. */
const LOOK_AGAIN_MS = 5_000;
/** Each rebuild keeps one core busy, and the machine has requests to answer meanwhile. */
export const REBUILDS_AT_ONCE = 2;

export interface ProjectorOptions {
  readonly pool: pg.Pool;
  /** Events as they are in the logger; `decode` decodes them. */
  readonly store: EventStore;
  readonly decode: EventCodec['decode'];
  readonly discarded: ReadDiscarded;
  readonly source: EventSource;
  readonly consumers: readonly Consumer[];
  readonly logger: Logger;
  readonly tracing?: Tracing;
  /** How many rebuilds run at once; other rebuilds of this process may share it. Two by default. */
  readonly rebuilds?: LimitFunction;
  /** Whether the tables that a raised version replaces are kept for a rollback. False by default. */
  readonly keepReplaced?: boolean;
  /** Gets the rows that answers to commands show. */
  readonly written?: Pick<WrittenRows, 'keep'>;
  /** Called with the position of each consumer (`SharedProgress.moved`). */
  onMoved?(move: PartitionMoved): void;
  /** Called after each batch of events that a consumer has applied, with the seconds that all its tries took. */
  onApplied?(consumer: string, events: number, seconds: number): void;
}

type InPlace = Pick<Checkpoint, 'version' | 'variant'>;

interface Lane {
  readonly assignment: Assignment;
  stop(): Promise<void>;
}

export type ConsumerState = LaneState | 'starting' | 'rebuilding';

/** Runs consumers: applies the partitions of the log that the source assigns to this process to their rows. */
export interface Projector {
  /**
   * Creates the tables that are missing, and begins. A consumer with an older version in place, or with another variant of
   * this version, is rebuilt beside it while the old tables serve. A newer version is left in place: another program keeps it up to date.
   * @throws StartError when the read models were made from another logger, or when tables changed and their version did not.
   */
  start(): Promise<void>;
  /** The state of each consumer. */
  states(): Record<string, ConsumerState>;
  /** Finishes the transactions under way. The caller closes the source. */
  stop(): Promise<void>;
}

export function createProjector(options: ProjectorOptions): Projector {
  const { pool, store, decode, discarded, source, consumers, logger, tracing, keepReplaced, onMoved } = options;
  const { rebuilds = pLimit(REBUILDS_AT_ONCE), written = createWrittenRows() } = options;
  const stopping = new AbortController();
  const logId = createLogId(store);
  const states = new Map<string, ConsumerState>(consumers.map(({ name }) => [name, 'starting']));
  const failureLogs = new Map(consumers.map(({ name }) => [name, createFailureLog(logger, 'error')]));
  const running: Promise<void>[] = [];
  const shared = createSharedTransactions(pool, source, written);
  const announced = new Set<Consumer>();

  const applyOptions = (consumer: Consumer): ApplyOptions => ({
    pool,
    consumer,
    schema: consumer.name,
    logId,
    decode,
    discarded,
  });

  /** Creates the tables if they are missing, and reports how far they are. Returns what is in place. */
  async function check(consumer: Consumer): Promise<InPlace> {
    const { name } = consumer;
    const installed = await installLive(pool, consumer);
    refuseAnotherLog(name, installed, { id: await logId(), head: await store.head() });
    await refuseChangedTables(pool, consumer);
    const inPlace = await adoptIfShort({ pool, store }, consumer, installed);
    for (const { partition, partitions, position, version, variant } of inPlace)
      onMoved?.({
        projection: name,
        partition,
        partitions,
        position,
        version,
        variant,
        changed: false,
        regressed: true,
      });
    return inPlace[0]!;
  }

  /** Returns when the declared version is in place, in the declared variant. */
  async function prepare(consumer: Consumer): Promise<void> {
    while (!stopping.signal.aborted) {
      const inPlace = await check(consumer);
      if (isDeclared(inPlace, consumer)) return;
      if (inPlace.version > consumer.version) await leaveNewer(consumer, inPlace.version);
      else await replaceOlder(consumer, inPlace);
    }
  }

  async function leaveNewer({ name, version }: Consumer, inPlace: number): Promise<void> {
    if (states.get(name) !== 'superseded')
      logger.warn(
        { consumer: name, inPlace, declared: version },
        `A newer version of ${name} is in place, and this program leaves it there. To go back to this program's version permanently, run "projections rebuild ${name}".`,
      );
    states.set(name, 'superseded');
    await pause(LOOK_AGAIN_MS, stopping.signal);
  }

  async function replaceOlder(consumer: Consumer, inPlace: InPlace): Promise<void> {
    const { name, version, variant } = consumer;
    const showRebuilding = (): void => void states.set(name, 'rebuilding');
    // A rebuild that failed stays "failing" until it has applied a batch.
    if (states.get(name) !== 'failing') showRebuilding();
    const versions = {
      consumer: name,
      from: inPlace.version,
      to: version,
      ...(variant !== inPlace.variant && { fromVariant: inPlace.variant, toVariant: variant }),
    };
    if (!announced.has(consumer)) logger.info(versions, 'building the tables of this version beside those in place');
    announced.add(consumer);
    const { signal } = stopping;
    const options = {
      ...applyOptions(consumer),
      store,
      logger,
      signal,
      onlyIfOlder: true,
      keepReplaced,
      onProgress: showRebuilding,
    };
    try {
      await rebuilds(() => (signal.aborted ? undefined : rebuild(options)));
      logger.info(versions, 'rebuilt; the new version serves');
    } catch (error) {
      if (!(error instanceof RebuildUnderWay)) throw error;
      await pause(RETRY_MS, signal);
    }
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
    const { name, version, variant } = consumer;
    const { partitions } = assignment;
    const ended = runLane({
      ...applyOptions(consumer),
      ...assignment,
      source,
      transactions: canShare(consumer) ? shared : ownTransactions(consumer),
      signal: stop.signal,
      logger,
      tracing,
      onMoved: (moved) => onMoved?.({ projection: name, partitions, version, variant, ...moved }),
      onState: (state) => states.set(name, state),
      onApplied: (events, seconds) => options.onApplied?.(name, events, seconds),
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
        reportFailure(consumer, what, error);
        await pause(RETRY_MS, stopping.signal);
      }
    }
  }

  function reportFailure({ name }: Consumer, what: string, error: unknown): void {
    // A stop closes the parts that the work uses.
    if (stopping.signal.aborted) return;
    states.set(name, 'failing');
    failureLogs.get(name)!(error, `${what} ${name} failed; trying again`);
  }

  /** Also while the log or the database is unavailable: then the consumer tries again later. @throws StartError */
  async function checkFirst(consumer: Consumer): Promise<void> {
    try {
      await check(consumer);
    } catch (error) {
      if (error instanceof StartError) throw error;
      reportFailure(consumer, 'preparing', error);
    }
  }

  return {
    async start() {
      // Side by side: during an outage each check takes as long as the outage is waited for.
      const checks = await Promise.allSettled(consumers.map(checkFirst));
      const refused = checks.find((each) => each.status === 'rejected');
      if (refused !== undefined) throw refused.reason;
      if (stopping.signal.aborted) return;
      running.push(...consumers.map((consumer) => untilDone(consumer, 'running', () => run(consumer))));
    },
    states: () => Object.fromEntries(states),
    async stop() {
      stopping.abort();
      await Promise.all(running);
    },
  };
}
