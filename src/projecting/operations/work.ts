import type pg from 'pg';
import type { Logger } from 'pino';
import type { EventStore } from '../../core/eventStore.ts';
import type { ApplyOptions } from '../applyBatch.ts';
import type { Checkpoint } from '../checkpoints.ts';
import type { Consumer } from '../consumer.ts';
import { buildAndSwap, type RebuildOptions } from '../rebuilding/rebuild.ts';
import { rollBack } from '../rebuilding/rollback.ts';
import { nextSchema } from '../rebuilding/schemas.ts';
import { verify } from '../rebuilding/verify.ts';
import { OPERATION, OPERATIONS, type Operation, type OperationProgress } from './operation.ts';

const REPORT_EVERY_MS = 1_000;

export interface WorkOptions extends Pick<ApplyOptions, 'pool' | 'logId' | 'decode' | 'discarded'> {
  readonly store: EventStore;
  readonly logger: Logger;
  /** `REBUILD_KEEP_HOURS`. */
  readonly keepHours: number;
  /** Called after the tables of a projection were replaced, with their checkpoints. */
  onReplaced?(projection: Consumer, checkpoints: readonly Checkpoint[]): void;
}

/** The operation was cancelled, or another process has ended it. */
export class Cancelled extends Error {
  constructor() {
    super('the operation was cancelled');
    this.name = 'Cancelled';
  }
}

/** Marks it as running. Undefined when it is closed. */
export async function begin(pool: pg.Pool, { id }: Operation): Promise<Operation | undefined> {
  const { rows } = await pool.query<Operation>(
    `update ${OPERATIONS} set state = 'running', started_at = coalesce(started_at, now())
     where id = $1 and state in ('waiting', 'running') returning ${OPERATION}`,
    [id],
  );
  return rows[0];
}

/** Does what was asked, and records that it is done. @throws the reason of the signal, or what made it fail */
export async function perform(
  operation: Operation,
  consumer: Consumer,
  signal: AbortSignal,
  options: WorkOptions,
): Promise<void> {
  const { pool, keepHours } = options;
  await using reporter = createReporter(pool, operation);
  const each = { ...options, consumer, schema: consumer.name, signal };
  if (operation.kind === 'verify') {
    const found = await verify({
      ...each,
      onProgress: ({ position, until }) =>
        reporter.report({ position: String(position), head: String(until), events: 0 }),
    });
    await pool.query(`update ${OPERATIONS} set state = 'done', ended_at = now(), result = $2 where id = $1`, [
      operation.id,
      asJson(found),
    ]);
    return;
  }
  const before = operation.progress?.events ?? 0;
  const replacing: RebuildOptions = {
    ...each,
    keepReplaced: keepHours > 0,
    onProgress: ({ position, head, events, rate, timeLeft }) =>
      reporter.report({
        position: String(position),
        head: String(head),
        events: before + events,
        rate: Math.round(rate),
        secondsLeft: timeLeft === undefined ? undefined : Math.ceil(timeLeft),
      }),
    onSwapped: (checkpoints) => options.onReplaced?.(consumer, checkpoints),
    // In the transaction of the swap: a process that continues after a crash must not swap a second time.
    async alongside(client) {
      const { rowCount } = await client.query(
        `update ${OPERATIONS} set state = 'done', ended_at = now(), error = null
         where id = $1 and state = 'running' and not cancel_asked`,
        [operation.id],
      );
      if (rowCount === 0) throw new Cancelled();
    },
  };
  await (operation.kind === 'rebuild' ? buildAndSwap(replacing) : rollBack(replacing));
}

/** Ends a rebuild whose cancellation was asked for, and drops what it has built. */
export async function cancel(pool: pg.Pool, { id, projection }: Operation): Promise<void> {
  const open = "id = $1 and state = 'running' and cancel_asked";
  const { rowCount } = await pool.query(`select from ${OPERATIONS} where ${open}`, [id]);
  if (rowCount === 0) return; // Another process has ended it.
  await pool.query(`drop schema if exists "${nextSchema(projection)}" cascade`);
  await pool.query(`update ${OPERATIONS} set state = 'cancelled', ended_at = now() where ${open}`, [id]);
}

interface Reporter extends AsyncDisposable {
  report(progress: OperationProgress): void;
}

/** Writes the progress, now and then. Progress that cannot be written is left out. */
function createReporter(pool: pg.Pool, { id }: Operation): Reporter {
  let last = -Infinity;
  let writing: Promise<unknown> = Promise.resolve();
  return {
    report(progress) {
      if (performance.now() - last < REPORT_EVERY_MS) return;
      last = performance.now();
      writing = pool
        .query(`update ${OPERATIONS} set progress = $2 where id = $1 and state = 'running'`, [id, asJson(progress)])
        .catch(() => undefined);
    },
    async [Symbol.asyncDispose]() {
      await writing;
    },
  };
}

/** JSON has no bigint. */
function asJson(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? String(each) : each));
}
