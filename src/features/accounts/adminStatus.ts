import type { Kysely } from 'kysely';
import type { ReadModels } from '../../../projections/index.ts';
import type { EventStore } from '../../core/eventStore.ts';
import { firstAccount } from './firstAccount.ts';
import type { NameHash } from './names.ts';
import { findUserByEmail } from './readAccount.ts';

/** Whether the system has accounts, and whether one of them has the role admin. */
export type AdminStatus = 'no account' | 'no admin' | 'some admin';

export interface AdminStatusOptions {
  readonly store: Pick<EventStore, 'readStream' | 'readAll'>;
  readonly db: Kysely<ReadModels>;
  readonly nameHash: NameHash;
  /** `ADMIN_EMAILS` */
  readonly adminEmails: readonly string[];
  /** The position that the projection `accounts` has reached. The log is read from there. */
  readonly projected: bigint;
  /** Ends the reading of the log, which then throws the signal's reason. */
  readonly signal?: AbortSignal;
}

/** PostgreSQL: undefined column, undefined table. */
const NOT_IN_PLACE = new Set<unknown>(['42703', '42P01']);

/** Takes milliseconds, however long the log is, unless the projection is far behind. A role that was revoked a moment ago may still count. */
export async function readAdminStatus(options: AdminStatusOptions): Promise<AdminStatus> {
  const { store, nameHash, adminEmails, projected, signal } = options;
  if ((await firstAccount(store)) === undefined) return 'no account';
  for (const email of adminEmails)
    if ((await findUserByEmail(store, nameHash, email)) !== undefined) return 'some admin';
  if (await isAnyInTables(options)) return 'some admin';
  for await (const { events } of store.readAll({
    after: projected,
    types: ['AdminGranted'],
    ...(signal && { signal }),
  }))
    if (events.length > 0) return 'some admin';
  return 'no admin';
}

/** Tables of an older version do not know admins: when they were filled, there were none. */
async function isAnyInTables({ db }: AdminStatusOptions): Promise<boolean> {
  const one = db.selectFrom('accounts.users').select('id').where('admin_since', 'is not', null).limit(1);
  try {
    return (await one.executeTakeFirst()) !== undefined;
  } catch (error) {
    if (NOT_IN_PLACE.has((error as { code?: unknown }).code)) return false;
    throw error;
  }
}
