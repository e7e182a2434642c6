import type { RecordedEvent } from '../src/core/event.ts';
import type { UserRegistered } from '../src/features/accounts/events.ts';
import { defineProjection } from '../src/projecting/projection.ts';
import { personal, table, text, timestamptz, uuid, type NewRow } from '../src/projecting/tables/table.ts';
import { upsert } from '../src/projecting/tables/upsert.ts';

const users = table(
  'users',
  {
    id: uuid,
    name: personal(text),
    username: personal(text),
    email: personal(text),
    created_at: timestamptz,
    updated_at: timestamptz,
  },
  { primaryKey: ['id'] },
);

/** The users, as `GET /auth/me` shows them. Never use it to decide whether a name is taken: reservations decide that. */
export const accounts = defineProjection({
  name: 'accounts',
  version: 1,
  tables: [users],
  handles: ['UserRegistered'],

  async apply(events: readonly RecordedEvent<UserRegistered>[], db) {
    const rows = new Map<string, NewRow<typeof users>>();
    for (const event of events) {
      const { userId, name, username, email, at } = event.data;
      rows.set(userId, { id: userId, name, username, email, created_at: at, updated_at: at });
    }
    await upsert(db, users, [...rows.values()], { keep: ['created_at'] });
  },
});
