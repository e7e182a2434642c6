import type pg from 'pg';
import type { Logger } from 'pino';
import type { EventStore } from '../../core/eventStore.ts';
import { applyEvents, type ApplyOptions } from '../applyBatch.ts';
import { catchUp, type BatchDone } from './catchUp.ts';
import { install, lockAllCheckpoints, readCheckpoints, writeEvenLayout, type Checkpoint } from '../checkpoints.ts';
import { loggable } from '../parking/parking.ts';
import { installLive } from '../tables/firstBuild.ts';
import { hasDeclaredTables } from '../tables/sameTables.ts';
import { inTransaction } from '../transaction.ts';

/** So many events may be left for the moment in which the live tables are locked. */
const CLOSE_ENOUGH = 2_000;

export interface RebuildProgress {
  readonly position: bigint;
  readonly head: bigint;
  /** Applied since this run began. */
  readonly events: number;
  /** Positions per second. */
  readonly rate: number;
  /** Seconds; undefined until there is a rate. */
  readonly timeLeft: number | undefined;
}

export interface RebuildOptions extends Omit<ApplyOptions, 'isolateAfter'> {
  readonly store: Pick<EventStore, 'readAll' | 'head'>;
  readonly logger: Logger;
  /** Does nothing when this version or a newer one is in place by then. */
  readonly onlyIfOlder?: boolean;
  readonly signal?: AbortSignal;
  onProgress?(progress: RebuildProgress): void;
}

/** Another process, or another part of this one, is rebuilding the consumer. */
export class RebuildUnderWay extends Error {
  constructor(name: string) {
    super(`a rebuild of ${name} is already under way`);
    this.name = 'RebuildUnderWay';
  }
}

export const rebuildSchema = (name: string): string => `${name}__next`;

/**
 * Builds the consumer's tables from the log, beside the live ones, and replaces the live ones in one transaction: queries
 * see the old rows or the new ones, never none. Live delivery may continue meanwhile, in any process and from any source.
 * After an interruption, the next rebuild continues where this one stopped.
 * @throws RebuildUnderWay
 */
export async function rebuild(options: RebuildOptions): Promise<void> {
  const { pool, consumer } = options;
  await exclusively(pool, consumer.name, async () => {
    if (isOvertaken(options, await installLive(pool, consumer))) return;
    const next = { ...options, schema: rebuildSchema(consumer.name) };
    let after = await begin(next);
    const report = reporter(options, after);
    for (let events = Infinity; events > CLOSE_ENOUGH;) {
      events = 0;
      const head = await options.store.head();
      const onBatch = (done: BatchDone): void => {
        events += done.events;
        report(done, head);
      };
      after = await catchUp({ ...next, after, until: head, onBatch });
    }
    await swap(next);
  });
}

function isOvertaken({ onlyIfOlder, consumer }: RebuildOptions, inPlace: readonly Checkpoint[]): boolean {
  return onlyIfOlder === true && inPlace.some(({ version }) => version >= consumer.version);
}

async function begin(options: RebuildOptions): Promise<bigint> {
  const { pool, consumer, schema } = options;
  const found = await install(pool, consumer, schema);
  const [half] = found;
  const ofThisLog = half?.logId === null || half?.logId === (await options.logId());
  const ofThisVersion = half?.version === consumer.version && (await hasDeclaredTables(pool, consumer, schema));
  if (found.length === 1 && ofThisVersion && ofThisLog) return half.position;
  await pool.query(`drop schema "${schema}" cascade`);
  return (await install(pool, consumer, schema))[0]!.position;
}

async function swap(options: RebuildOptions): Promise<void> {
  const { pool, consumer, schema, store } = options;
  const { name } = consumer;
  await pool.query(`drop schema if exists "${name}__old" cascade`);
  const replaced = await inTransaction(pool, { schema: name }, async (live) => {
    const places = await lockAllCheckpoints(live, name);
    if (isOvertaken(options, places)) return schema;
    const head = await store.head();
    const [built] = await readCheckpoints(live.client, schema);
    // A writer that waits for one of these rows began with the old tables, and would continue with the new ones of the same
    // name. With the row deleted it gets none, and stops.
    await live.client.query('delete from checkpoints');
    await live.client.query(`set local search_path to "${schema}"`);
    // In this transaction, because writers that wait for the locked rows may hold all other connections.
    for await (const { events } of store.readAll({ after: built!.position, until: head, types: consumer.handles })) {
      await applyEvents({ ...options, isolateAfter: 1 }, events, built!.parks, live);
    }
    const { version, logId } = built!;
    await writeEvenLayout(live.client, {
      partitions: places.length,
      version,
      position: head,
      logId: logId ?? (await options.logId()),
    });
    await live.client.query(
      `alter schema "${name}" rename to "${name}__old"; alter schema "${schema}" rename to "${name}"`,
    );
    return `${name}__old`;
  });
  // Afterwards, in a transaction of its own: it waits for queries that still read the old tables.
  await pool.query(`drop schema "${replaced}" cascade`).catch((error: unknown) => {
    options.logger.warn(
      { error: loggable(error) },
      `the old tables of ${name} could not be dropped; the next rebuild will`,
    );
  });
}

/** Holds a lock that ends with its connection: a rebuild that was killed does not block later ones. */
async function exclusively(pool: pg.Pool, name: string, work: () => Promise<void>): Promise<void> {
  const client = await pool.connect();
  const onError = (): void => undefined;
  client.on('error', onError);
  try {
    const { rows } = await client.query<{ locked: boolean }>(
      `select pg_try_advisory_lock(hashtextextended($1, 0)) as locked`,
      [`reelstream.rebuild ${name}`],
    );
    if (!rows[0]!.locked) throw new RebuildUnderWay(name);
    await work();
  } finally {
    // The server notices a closed connection only some time later, and until then it would refuse a second rebuild.
    await client.query('select pg_advisory_unlock_all()').catch(() => undefined);
    client.off('error', onError);
    client.release(true);
  }
}

function reporter({ onProgress }: RebuildOptions, from: bigint): (done: BatchDone, head: bigint) => void {
  const began = performance.now();
  let events = 0;
  return (done, head) => {
    events += done.events;
    const seconds = (performance.now() - began) / 1_000;
    const rate = seconds > 0 ? Number(done.position - from) / seconds : 0;
    const timeLeft = rate > 0 ? Number(head - done.position) / rate : undefined;
    onProgress?.({ position: done.position, head, events, rate, timeLeft });
  };
}
