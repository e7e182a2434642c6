import type pg from 'pg';
import type { EventStore } from '../core/eventStore.ts';
import { readIfThere } from '../postgres/missingTable.ts';
import { MOST_LOOKS, readCheckpoints, type Checkpoint } from './checkpoints.ts';
import type { Consumer } from './consumer.ts';
import { nextSchema } from './rebuilding/schemas.ts';

/** Lag and parked events are counted up to here. */
const MOST_COUNTED = 10_000;

export interface ConsumerStatus {
  readonly name: string;
  /** Of the tables in place; undefined before the first start. */
  readonly version: number | undefined;
  /** Of this program. Higher than `version` while a rebuild is due or under way. */
  readonly declaredVersion: number;
  /** Of the rows in place (`Projection.variant`); undefined before the first start. */
  readonly variant: string | undefined;
  /** Under this program's settings. Differs from `variant` while a rebuild is due or under way. */
  readonly declaredVariant: string;
  readonly position: bigint;
  readonly head: bigint;
  /** How many events of its types are not in the rows yet; at most 10 000. */
  readonly lagEvents: number;
  /** Age of the oldest of them; 0 when there is none. */
  readonly lagSeconds: number;
  readonly partitions: number;
  /** At most 10 000. */
  readonly parkedEvents: number;
  readonly rebuild: RebuildStatus | undefined;
}

/** A rebuild that is under way in any process, or was interrupted and will continue. */
export interface RebuildStatus {
  readonly position: bigint;
  readonly startedAt: Date;
  /** Positions per second since it began. */
  readonly rate: number;
  /** Seconds; undefined until there is a rate. */
  readonly timeLeft: number | undefined;
}

export interface StatusOptions {
  readonly pool: pg.Pool;
  readonly store: Pick<EventStore, 'head' | 'readAll'>;
  readonly now?: () => Date;
}

/** How far a consumer is, read from the database: it may run in another process. */
export async function consumerStatus(
  { pool, store, now = () => new Date() }: StatusOptions,
  consumer: Consumer,
): Promise<ConsumerStatus> {
  const { name, version: declaredVersion, variant: declaredVariant, handles } = consumer;
  const head = await store.head();
  const checkpoints = await checkpointsInPlace(pool, name);
  const position = checkpoints.reduce(
    (least, checkpoint) => (checkpoint.position < least ? checkpoint.position : least),
    checkpoints[0]?.position ?? 0n,
  );
  let lagEvents = 0;
  let oldest: Date | undefined;
  for await (const { events } of store.readAll({ after: position, types: handles })) {
    oldest ??= events[0]?.time;
    lagEvents += events.length;
    if (lagEvents >= MOST_COUNTED) break;
  }
  const parked = checkpoints.length === 0 ? 0 : await countParked(pool, name);
  return {
    name,
    version: checkpoints[0]?.version,
    declaredVersion,
    variant: checkpoints[0]?.variant,
    declaredVariant,
    position,
    head,
    lagEvents: Math.min(lagEvents, MOST_COUNTED),
    lagSeconds: oldest === undefined ? 0 : Math.max(0, (now().getTime() - oldest.getTime()) / 1_000),
    partitions: checkpoints.length,
    parkedEvents: parked,
    rebuild: await rebuildStatus(pool, name, head, now()),
  };
}

async function rebuildStatus(pool: pg.Pool, name: string, head: bigint, now: Date): Promise<RebuildStatus | undefined> {
  const table = `"${nextSchema(name)}".checkpoints`;
  const begun = await readIfThere(pool, table, () =>
    pool.query<{ position: bigint; startedAt: Date }>(
      `select position, created_at as "startedAt" from ${table} order by partition limit 1`,
    ),
  );
  const checkpoint = begun?.rows[0];
  if (checkpoint === undefined) return undefined;
  const { position, startedAt } = checkpoint;
  const seconds = (now.getTime() - startedAt.getTime()) / 1_000;
  const rate = seconds > 0 ? Number(position) / seconds : 0;
  return { position, startedAt, rate, timeLeft: rate > 0 ? Number(head - position) / rate : undefined };
}

/** Where each rebuild is that is under way in any process, by consumer. */
export async function rebuildPositions(pool: pg.Pool, names: readonly string[]): Promise<Map<string, bigint>> {
  const { rows } = await pool.query<{ name: string }>(
    'select name from unnest($1::text[], $2::text[]) as asked (name, schema) join pg_namespace on nspname = schema',
    [names, names.map(nextSchema)],
  );
  const positions = new Map<string, bigint>();
  for (const { name } of rows) {
    const table = `"${nextSchema(name)}".checkpoints`;
    const found = await readIfThere(pool, table, () =>
      pool.query<{ position: bigint | null }>(`select min(position) as position from ${table}`),
    );
    const position = found?.rows[0]?.position;
    if (position != null) positions.set(name, position);
  }
  return positions;
}

/** At most 10 000. */
export async function countParked(pool: pg.Pool, schema: string): Promise<number> {
  const { rows } = await pool.query<{ count: bigint }>(
    `select count(*) from (select from "${schema}".parked_events limit ${MOST_COUNTED}) counted`,
  );
  return Number(rows[0]!.count);
}

/** Of the tables in this schema; empty before the first start. */
export async function checkpointsInPlace(pool: pg.Pool, schema: string): Promise<Checkpoint[]> {
  for (let look = 1; ; look++) {
    const found = await readIfThere(pool, `"${schema}".checkpoints`, () => readCheckpoints(pool, schema));
    if ((found !== undefined && found.length > 0) || look === MOST_LOOKS) return found ?? [];
  }
}
