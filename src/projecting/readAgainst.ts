import { sql, type Kysely } from 'kysely';
import type { Appended } from '../core/appended.ts';
import { partitionOf } from '../core/partitions.ts';
import { MOST_LOOKS } from './checkpoints.ts';
import type { ProjectionName } from './readYourWrites.ts';

interface Partition {
  readonly partition: number;
  readonly partitions: number;
  readonly position: bigint;
}

/**
 * Reads a projection's tables, and says whether what was read shows a command already: both at one moment. For answers
 * that must count the command's own effect exactly once, also while the projection is behind.
 */
export async function readAgainst<Tables, Result>(
  db: Kysely<Tables>,
  { name }: ProjectionName,
  { stream, position }: Pick<Appended, 'stream' | 'position'>,
  read: (db: Kysely<Tables>) => Promise<Result>,
): Promise<{ result: Result; shows: boolean }> {
  for (let look = 1; ; look++) {
    const { result, checkpoints } = await db
      .transaction()
      .setIsolationLevel('repeatable read')
      .setAccessMode('read only')
      .execute(async (transaction) => {
        const result = await read(transaction);
        const partitions = sql<Partition>`select partition, partitions, position from ${sql.id(name, 'checkpoints')}`;
        return { result, checkpoints: (await partitions.execute(transaction)).rows };
      });
    // A swap meanwhile: by the snapshot of this transaction, the new table has no rows.
    if (checkpoints.length === 0 && look < MOST_LOOKS) continue;
    const own = checkpoints.find((row) => row.partition === partitionOf(stream, row.partitions));
    return { result, shows: own !== undefined && own.position >= position };
  }
}
