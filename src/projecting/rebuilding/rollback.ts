import { readCheckpoints } from '../checkpoints.ts';
import { withDiscardedRead } from '../parking/discarded.ts';
import { hasDeclaredTables } from '../tables/sameTables.ts';
import { readKept, restoreCheckpoints, type KeptTables } from './kept.ts';
import { ensureLayout } from './layout.ts';
import { catchUpToHead, type RebuildOptions } from './rebuild.ts';
import { oldSchema } from './schemas.ts';
import { swap } from './swap.ts';

/** The kept tables cannot be made live again. The message says why, and what to do. */
export class CannotRollBack extends Error {
  readonly reason: 'nothing_kept' | 'other_rules';

  constructor(reason: CannotRollBack['reason'], message: string) {
    super(message);
    this.name = 'CannotRollBack';
    this.reason = reason;
  }
}

/**
 * Makes the kept tables live again: applies to them what has happened since they were replaced, then exchanges both, in one
 * transaction. The tables that were live are the kept ones afterwards. The caller holds the lock of `exclusively`. After an
 * interruption, the next roll back continues where this one stopped.
 * @throws CannotRollBack
 */
export async function rollBack(given: RebuildOptions): Promise<void> {
  const { pool, consumer } = given;
  const options = await withDiscardedRead(given);
  await requireKept(options);
  await restoreCheckpoints(pool, consumer.name);
  const old = { ...options, schema: oldSchema(consumer.name), keepReplaced: true };
  await ensureLayout(old, 1);
  await catchUpToHead(old, (await readCheckpoints(pool, old.schema))[0]!.position);
  await swap(old);
}

/** As it is shown to operators. */
export const namedVariant = (variant: string): string => (variant === '' ? 'the defaults' : variant);

/** @throws CannotRollBack */
export async function requireKept({
  pool,
  consumer,
  logId,
  discarded,
}: Pick<RebuildOptions, 'pool' | 'consumer' | 'logId' | 'discarded'>): Promise<KeptTables> {
  const { name, version, variant } = consumer;
  const kept = await readKept(pool, name);
  if (kept === undefined)
    throw new CannotRollBack(
      'nothing_kept',
      `No older tables of ${name} are kept. A rebuild keeps those that it replaces for REBUILD_KEEP_HOURS.`,
    );
  const other = kept.checkpoints.find((checkpoint) => checkpoint.version !== version);
  const otherVariant = kept.checkpoints.find((checkpoint) => checkpoint.variant !== variant);
  if (other !== undefined)
    throw new CannotRollBack(
      'other_rules',
      `The kept tables of ${name} have version ${other.version}, and this program has version ${version}: it cannot keep them up to date. Start the program of version ${other.version} and roll back there, or rebuild ${name}.`,
    );
  if (otherVariant !== undefined)
    throw new CannotRollBack(
      'other_rules',
      `The kept tables of ${name} were made under other settings (${namedVariant(otherVariant.variant)}) than those of this program (${namedVariant(variant)}), so it cannot keep them up to date. Start it with those settings instead: it then rebuilds ${name}.`,
    );
  const id = kept.checkpoints[0]?.logId ?? null;
  if ((id !== null && id !== (await logId())) || !(await hasDeclaredTables(pool, consumer, oldSchema(name))))
    throw new CannotRollBack(
      'other_rules',
      `The kept tables of ${name} were made from another event log or by another declaration of the same version. Rebuild ${name} instead.`,
    );
  const positions = [...(await discarded(name))];
  const { rowCount: nowDiscarded } = await pool.query(
    `select from "${oldSchema(name)}".parked_events where position = any($1::bigint[]) limit 1`,
    [positions],
  );
  if (nowDiscarded !== 0)
    throw new CannotRollBack(
      'other_rules',
      `An event that is parked in the kept tables of ${name} was discarded since then. Rebuild ${name} instead.`,
    );
  return kept;
}
