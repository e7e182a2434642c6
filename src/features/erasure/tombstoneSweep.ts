import { sql, type Kysely } from 'kysely';
import type { Logger } from 'pino';
import { v7 } from 'uuid';
import type { ReadModels } from '../../../projections/index.ts';
import type { EventStore } from '../../core/eventStore.ts';
import { createFailureLog } from '../../telemetry/failureLog.ts';
import { forgetUser } from '../accounts/index.ts';
import type { Sweep } from '../feature.ts';

export interface TombstoneSweepOptions {
  readonly store: Pick<EventStore, 'append' | 'readStream'>;
  readonly db: Kysely<ReadModels>;
  readonly logger: Logger;
}

export interface TombstoneSweep extends Sweep {
  /** Forgets those who have a tombstone in place of a key and an account all the same. Returns how many there were. */
  look(): Promise<number>;
}

const EVERY_MS = 10 * 60_000;
const FIRST_MS = 5_000;

/**
 * After the restore of an older log beside the newest keys, a user may have a tombstone and no `UserForgotten`. It is recorded
 * here, and the erasure begins anew.
 */
export function createTombstoneSweep({ store, db, logger }: TombstoneSweepOptions): TombstoneSweep {
  const failed = createFailureLog(logger);
  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<unknown> = Promise.resolve();

  async function look(): Promise<number> {
    const { rows } = await sql<{ readonly id: string }>`
      select u.id from reelstream.user_keys k join accounts.users u on u.id::text = k.user_id
      where k.wrapped is null`.execute(db);
    const now = new Date();
    for (const { id } of rows) await forgetUser(store, id, { correlationId: v7(), actor: 'erasure', now });
    if (rows.length > 0)
      logger.info({ users: rows.length }, 'users whose keys were deleted are forgotten: the log had not recorded it');
    return rows.length;
  }

  const lookQuietly = (next: number): void => {
    timer = setTimeout(() => {
      looking = look()
        .catch((error: unknown) => failed(error, 'could not look for users whose keys were deleted'))
        .finally(() => lookQuietly(EVERY_MS));
    }, next).unref();
  };

  return {
    look,
    start: () => lookQuietly(FIRST_MS),
    close: async () => {
      clearTimeout(timer);
      await looking;
      clearTimeout(timer);
    },
  };
}
