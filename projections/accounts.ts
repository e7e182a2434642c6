import type { RecordedEvent } from '../src/core/event.ts';
import type { AdminGranted, AdminRevoked, UserRegistered } from '../src/features/accounts/events.ts';
import { defineProjection } from '../src/projecting/projection.ts';
import { nullable, personal, table, text, timestamptz, uuid, type NewRow } from '../src/projecting/tables/table.ts';
import { upsert } from '../src/projecting/tables/upsert.ts';
import { streamSubject } from './streamSubject.ts';

const users = table(
  'users',
  {
    id: uuid,
    name: personal(text),
    username: personal(text),
    email: personal(text),
    /** Null for a user to whom the role admin is not granted. `ADMIN_EMAILS` is no part of it. */
    admin_since: nullable(timestamptz),
    created_at: timestamptz,
    updated_at: timestamptz,
  },
  { primaryKey: ['id'], indexes: { admins: { columns: ['id'], where: 'admin_since is not null' } } },
);

/** The users, as `GET /auth/me` shows them. Never use it to decide whether a name is taken: reservations decide that. */
export const accounts = defineProjection({
  name: 'accounts',
  version: 2,
  tables: [users],
  handles: ['UserRegistered', 'AdminGranted', 'AdminRevoked'],
  independentBy: streamSubject,

  async apply(events: readonly RecordedEvent<UserRegistered | AdminGranted | AdminRevoked>[], db) {
    const rows = new Map<string, NewRow<typeof users>>();
    const adminsSince = new Map<string, string | null>();
    for (const { type, data } of events) {
      const { userId, at } = data;
      if (type === 'UserRegistered') {
        const { name, username, email } = data;
        rows.set(userId, { id: userId, name, username, email, admin_since: null, created_at: at, updated_at: at });
      } else adminsSince.set(userId, type === 'AdminGranted' ? at : null);
    }
    await upsert(db, users, [...rows.values()], { keep: ['created_at', 'admin_since'] });
    // Few and far between.
    for (const [id, admin_since] of adminsSince)
      await db.updateTable('users').set({ admin_since }).where('id', '=', id).execute();
  },
});
