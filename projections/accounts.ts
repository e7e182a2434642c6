import { sql, type Kysely } from 'kysely';
import type { UserRegistered } from '../src/features/accounts/events.ts';
import type { Projection } from '../src/projecting/projection.ts';
import { recordset } from '../src/projecting/recordset.ts';

export interface UserRow {
  /** UUID. */
  id: string;
  name: string;
  username: string;
  email: string;
  created_at: Date;
  updated_at: Date;
}

export interface AccountsTables {
  users: UserRow;
}

/** Who there is, as `GET /auth/me` shows it. Never says whether a name is taken: reservations do. */
export const accounts: Projection<AccountsTables, UserRegistered> = {
  name: 'accounts',
  version: 1,
  handles: ['UserRegistered'],

  async createTables(db) {
    await db.schema
      .createTable('users')
      .addColumn('id', 'uuid', (column) => column.primaryKey())
      .addColumn('name', 'text', (column) => column.notNull())
      .addColumn('username', 'text', (column) => column.notNull())
      .addColumn('email', 'text', (column) => column.notNull())
      .addColumn('created_at', 'timestamptz', (column) => column.notNull())
      .addColumn('updated_at', 'timestamptz', (column) => column.notNull())
      .execute();
  },

  async apply(events, db) {
    const users = new Map<string, object>();
    for (const event of events) {
      const { userId, name, username, email, at } = event.data;
      users.set(userId, { id: userId, name, username, email, created_at: at, updated_at: at });
    }
    await upsertUsers([...users.values()], db);
  },
};

async function upsertUsers(users: readonly object[], db: Kysely<AccountsTables>): Promise<void> {
  if (users.length === 0) return;
  await sql`
    insert into users (id, name, username, email, created_at, updated_at)
    select id, name, username, email, created_at, updated_at
    from ${recordset(users, 'id uuid, name text, username text, email text, created_at timestamptz, updated_at timestamptz')}
    order by id
    on conflict (id) do update
    set name = excluded.name, username = excluded.username, email = excluded.email, updated_at = excluded.updated_at
  `.execute(db);
}
