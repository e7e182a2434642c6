import pLimit, { type LimitFunction } from 'p-limit';
import { pause } from '../../core/abortable.ts';
import { createFailureLog } from '../../telemetry/failureLog.ts';
import type { Consumer } from '../consumer.ts';
import { isEnvironmental } from '../parking/parking.ts';
import { exclusively, RebuildUnderWay } from '../rebuilding/exclusively.ts';
import { dropExpired } from '../rebuilding/kept.ts';
import { CannotRollBack } from '../rebuilding/rollback.ts';
import { OPERATIONS, readOpen, type Operation } from './operation.ts';
import { begin, cancel, Cancelled, perform, type WorkOptions } from './work.ts';

const LOOK_EVERY_MS = 500;
const RETRY_MS = 1_000;
const SWEEP_EVERY_MS = 60_000;
/** So many failures that no outage explains end an operation. */
const MOST_FAILURES = 3;

export interface OperationsRunnerOptions extends WorkOptions {
  readonly consumers: readonly Consumer[];
  /** How many rebuilds run at once; shared with the projector. */
  readonly rebuilds: LimitFunction;
  /** Does only this one. */
  readonly only?: string;
}

/**
 * Does the operations that were asked for (`operations.ts`), and drops kept tables whose time has passed. Several processes
 * may run one: a lock that ends with its connection decides who does an operation. When that process stops or is killed,
 * the operation stays open, and another one, or the same after its restart, continues it from its checkpoint.
 */
export interface OperationsRunner {
  start(): void;
  /** Interrupts what is under way. */
  stop(): Promise<void>;
}

interface Running {
  readonly cancelling: AbortController;
  readonly ended: Promise<void>;
}

export function createOperationsRunner(options: OperationsRunnerOptions): OperationsRunner {
  const { pool, consumers, rebuilds, logger, only, keepHours } = options;
  const stopping = new AbortController();
  const verifications = pLimit(1);
  const running = new Map<string, Running>();
  const failures = new Map<string, number>();
  const failed = createFailureLog(logger);
  const loops: Promise<void>[] = [];

  async function look(): Promise<void> {
    for (const operation of await readOpen(pool)) {
      const known = running.get(operation.id);
      if (known !== undefined && operation.cancelAsked) known.cancelling.abort(new Cancelled());
      if (known !== undefined || (only !== undefined && operation.id !== only)) continue;
      const consumer = consumers.find(({ name }) => name === operation.projection);
      // A program of another version, or with other settings, would make other rows.
      if (consumer?.version !== operation.version || consumer.variant !== operation.variant) continue;
      const cancelling = new AbortController();
      const ended = take(operation, consumer, cancelling.signal).finally(() => running.delete(operation.id));
      running.set(operation.id, { cancelling, ended });
    }
  }

  /** Never rejects. */
  async function take(operation: Operation, consumer: Consumer, cancelled: AbortSignal): Promise<void> {
    const signal = AbortSignal.any([stopping.signal, cancelled]);
    const work = (): Promise<void> => (signal.aborted ? Promise.resolve() : alone(operation, consumer, signal));
    try {
      await (operation.kind === 'verify' ? verifications : rebuilds)(work);
    } catch (error) {
      if (stopping.signal.aborted) return;
      // Another process does it, or a verification holds the tables.
      if (!(error instanceof RebuildUnderWay))
        failed(error, `${operation.kind} ${operation.projection} failed; what is open is tried again`);
      await pause(RETRY_MS, stopping.signal);
    }
  }

  async function alone(operation: Operation, consumer: Consumer, signal: AbortSignal): Promise<void> {
    // A verification does not keep a rebuild waiting.
    const lock = operation.kind === 'verify' ? `${consumer.name} (verification)` : consumer.name;
    await exclusively(pool, lock, () => run(operation, consumer, signal));
  }

  async function run(asked: Operation, consumer: Consumer, signal: AbortSignal): Promise<void> {
    const operation = await begin(pool, asked);
    if (operation === undefined) return;
    if (operation.cancelAsked) return cancel(pool, operation);
    const about = { projection: operation.projection, operation: operation.id };
    logger.info(about, `${operation.kind} begins`);
    try {
      await perform(operation, consumer, signal, options);
      logger.info(about, `${operation.kind} is done`);
    } catch (error) {
      if (stopping.signal.aborted) return;
      if (error instanceof Cancelled || signal.reason instanceof Cancelled) return cancel(pool, operation);
      await recordFailure(operation, error);
      throw error;
    }
  }

  /** An outage ends by itself. Another failure is repeated a few times. */
  async function recordFailure({ id }: Operation, error: unknown): Promise<void> {
    const count = (failures.get(id) ?? 0) + (isEnvironmental(error) ? 0 : 1);
    failures.set(id, count);
    const isFinal = error instanceof CannotRollBack || count >= MOST_FAILURES;
    if (isFinal) failures.delete(id);
    await pool.query(
      `update ${OPERATIONS} set error = $2, state = case when $3 then 'failed' else state end,
         ended_at = case when $3 then now() end
       where id = $1 and state = 'running'`,
      [id, error instanceof Error ? error.message : String(error), isFinal],
    );
  }

  async function repeat(everyMs: number, what: string, work: () => Promise<void>): Promise<void> {
    while (!stopping.signal.aborted) {
      await work().catch((error: unknown) => failed(error, `${what} failed; trying again`));
      await pause(everyMs, stopping.signal);
    }
  }

  async function sweep(): Promise<void> {
    for (const { name } of consumers) await dropExpired(pool, name, keepHours);
  }

  return {
    start() {
      loops.push(repeat(LOOK_EVERY_MS, 'looking for operations on projections', look));
      if (only === undefined) loops.push(repeat(SWEEP_EVERY_MS, 'dropping replaced tables', sweep));
    },
    async stop() {
      stopping.abort(new Error('the process is stopping'));
      await Promise.all(loops);
      await Promise.all([...running.values()].map(({ ended }) => ended));
    },
  };
}
