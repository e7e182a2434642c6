import type { RecordedEvent } from '../src/core/event.ts';
import type {
  AdminGranted,
  AdminRevoked,
  ProfileChanged,
  UserForgotten,
  UserRegistered,
} from '../src/features/accounts/events.ts';
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
  version: 4,
  tables: [users],
  handles: [
    'UserRegistered',
    'NameChanged',
    'UsernameChanged',
    'EmailChanged',
    'AdminGranted',
    'AdminRevoked',
    'UserForgotten',
  ],
  independentBy: streamSubject,

  async apply(
    events: readonly RecordedEvent<UserRegistered | ProfileChanged | AdminGranted | AdminRevoked | UserForgotten>[],
    db,
  ) {
    const rows = new Map<string, NewRow<typeof users>>();
    const changes = new Map<string, Partial<NewRow<typeof users>>>();
    const forgotten = new Set<string>();
    const change = (userId: string, what: Partial<NewRow<typeof users>>): void =>
      void changes.set(userId, { ...changes.get(userId), ...what });
    for (const { type, data } of events) {
      const { userId, at } = data;
      switch (type) {
        case 'UserRegistered': {
          const { name, username, email } = data;
          rows.set(userId, { id: userId, name, username, email, admin_since: null, created_at: at, updated_at: at });
          break;
        }
        case 'NameChanged':
          change(userId, { name: data.name, updated_at: at });
          break;
        case 'UsernameChanged':
          change(userId, { username: data.username, updated_at: at });
          break;
        case 'EmailChanged':
          change(userId, { email: data.email, updated_at: at });
          break;
        case 'AdminGranted':
          change(userId, { admin_since: at });
          break;
        case 'AdminRevoked':
          change(userId, { admin_since: null });
          break;
        case 'UserForgotten':
          forgotten.add(userId);
          break;
      }
    }
    await upsert(db, users, [...rows.values()], { keep: ['created_at', 'admin_since'] });
    // Few and far between.
    for (const [id, set] of changes) await db.updateTable('users').set(set).where('id', '=', id).execute();
    for (const id of forgotten) await db.deleteFrom('users').where('id', '=', id).execute();
  },
});
