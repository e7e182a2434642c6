import type pg from 'pg';
import type { UserRow } from '../../../projections/accounts.ts';

/** Oneself, as the read model has it. */
export interface AccountView {
  readonly id: string;
  readonly name: string;
  readonly username: string;
  readonly email: string;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export interface AccountQueries {
  byId(userId: string): Promise<AccountView | undefined>;
}

const BY_ID = `select id, name, username, email, created_at, updated_at from accounts.users where id = $1`;

export function createAccountQueries({ pool }: { readonly pool: pg.Pool }): AccountQueries {
  return {
    async byId(userId) {
      const { rows } = await pool.query<UserRow>({ name: 'accountById', text: BY_ID, values: [userId] });
      const [row] = rows;
      if (row === undefined) return undefined;
      const { created_at, updated_at, ...user } = row;
      return { ...user, createdAt: created_at.toISOString(), updatedAt: updated_at.toISOString() };
    },
  };
}
