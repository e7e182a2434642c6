import { sql, type Kysely } from 'kysely';
import type { Appended } from '../core/appended.ts';
import { partitionOf } from '../core/partitions.ts';
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
  return db
    .transaction()
    .setIsolationLevel('repeatable read')
    .setAccessMode('read only')
    .execute(async (transaction) => {
      const result = await read(transaction);
      const partitions = sql<Partition>`select partition, partitions, position from ${sql.id(name, 'checkpoints')}`;
      const { rows } = await partitions.execute(transaction);
      const own = rows.find((row) => row.partition === partitionOf(stream, row.partitions));
      return { result, shows: own !== undefined && own.position >= position };
    });
}
