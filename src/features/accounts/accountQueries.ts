import type { Kysely } from 'kysely';
import type { ReadModels } from '../../../projections/index.ts';

/** A user as the read model has them: only the user themselves sees this. */
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

export function createAccountQueries({ db }: { readonly db: Kysely<ReadModels> }): AccountQueries {
  return {
    async byId(userId) {
      const row = await db.selectFrom('accounts.users').selectAll().where('id', '=', userId).executeTakeFirst();
      if (row === undefined) return undefined;
      const { created_at, updated_at, ...user } = row;
      return { ...user, createdAt: created_at.toISOString(), updatedAt: updated_at.toISOString() };
    },
  };
}
