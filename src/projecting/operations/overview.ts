import type pg from 'pg';
import { bookkeepingTables } from '../checkpoints.ts';
import type { Consumer } from '../consumer.ts';
import { keptUntil, readKept } from '../rebuilding/kept.ts';
import { consumerStatus, type ConsumerStatus, type StatusOptions } from '../status.ts';
import { isOpen, OPERATION, OPERATIONS, type Operation, type OperationKind } from './operation.ts';

/** Rows are counted up to here; more are estimated. */
const MOST_COUNTED = 10_000;
/** A command waits so long for a projection (s). */
const BEHIND_AFTER = 2;

/** `failing` wins over the others, then `rebuilding`. `behind`: the oldest event that is missing is older than 2 s. */
export type ProjectionState = 'live' | 'rebuilding' | 'behind' | 'failing';

/** A projection as an operator sees it. */
export interface ProjectionOverview extends ConsumerStatus {
  readonly state: ProjectionState;
  readonly tables: readonly TableSize[];
  /** The last rebuild and the last roll back that were asked for: open, or how they ended. */
  readonly lastRebuild: Operation | undefined;
  readonly lastRollback: Operation | undefined;
  readonly lastVerification: Operation | undefined;
  /** What a roll back would make live again. */
  readonly kept: { readonly version: number; readonly position: bigint; readonly until: Date } | undefined;
}

export interface TableSize {
  readonly table: string;
  readonly rows: number;
  /** Tables with more than 10 000 rows are not counted: the number is PostgreSQL's estimate. */
  readonly isEstimate: boolean;
  /** With its indexes. */
  readonly bytes: number;
}

export interface OverviewOptions extends StatusOptions {
  /** `REBUILD_KEEP_HOURS`. */
  readonly keepHours: number;
}

export async function projectionOverview(options: OverviewOptions, consumer: Consumer): Promise<ProjectionOverview> {
  const { pool, keepHours } = options;
  const { name } = consumer;
  const status = await consumerStatus(options, consumer);
  const last = await lastOperations(pool, name);
  const kept = await readKept(pool, name);
  return {
    ...status,
    state: stateOf(status, last.get('rebuild')),
    tables: await tableSizes(pool, name),
    lastRebuild: last.get('rebuild'),
    lastRollback: last.get('rollback'),
    lastVerification: last.get('verify'),
    kept: kept && {
      version: kept.checkpoints[0]!.version,
      position: kept.checkpoints.reduce(
        (least, { position }) => (position < least ? position : least),
        kept.checkpoints[0]!.position,
      ),
      until: keptUntil(kept, keepHours),
    },
  };
}

function stateOf(status: ConsumerStatus, rebuild: Operation | undefined): ProjectionState {
  if (status.parkedEvents > 0) return 'failing';
  if (isUpgrading(status) || (rebuild !== undefined && isOpen(rebuild))) return 'rebuilding';
  return status.lagSeconds > BEHIND_AFTER ? 'behind' : 'live';
}

/** Whether tables of a raised version, or under other settings, are due or being built. */
export function isUpgrading({ version, declaredVersion, variant, declaredVariant }: ConsumerStatus): boolean {
  if (version === undefined || version < declaredVersion) return true;
  return version === declaredVersion && variant !== declaredVariant;
}

async function lastOperations(pool: pg.Pool, projection: string): Promise<ReadonlyMap<OperationKind, Operation>> {
  const { rows } = await pool.query<Operation>(
    `select distinct on (kind) ${OPERATION} from ${OPERATIONS} where projection = $1 order by kind, asked_at desc`,
    [projection],
  );
  return new Map(rows.map((operation) => [operation.kind, operation]));
}

async function tableSizes(pool: pg.Pool, schema: string): Promise<TableSize[]> {
  const { rows: tables } = await pool.query<{ table: string; estimate: number; bytes: bigint }>(
    `select relname as table, reltuples as estimate, pg_total_relation_size(oid) as bytes from pg_class
     where relnamespace = to_regnamespace($1) and relkind = 'r' and not relname = any($2) order by relname`,
    [`"${schema}"`, bookkeepingTables],
  );
  const sizes: TableSize[] = [];
  for (const { table, estimate, bytes } of tables) {
    const { rows } = await pool.query<{ count: bigint }>(
      `select count(*) from (select from "${schema}"."${table}" limit ${MOST_COUNTED + 1}) counted`,
    );
    const counted = Number(rows[0]!.count);
    const isEstimate = counted > MOST_COUNTED;
    sizes.push({ table, rows: isEstimate ? Math.max(counted, estimate) : counted, isEstimate, bytes: Number(bytes) });
  }
  return sizes;
}
