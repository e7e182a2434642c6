import type { Kysely } from 'kysely';
import { accounts as projection } from '../../../projections/accounts.ts';
import type { ReadModels } from '../../../projections/index.ts';
import type { UserRole } from '../../http/route.ts';
import { askColumnsInPlace } from '../../projecting/tables/columnsInPlace.ts';
import type { Roles } from './roles.ts';

/** A user as the read model has them: only the user themselves sees this. */
export interface AccountView {
  readonly id: string;
  readonly name: string;
  readonly username: string;
  readonly email: string;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export interface KnownAccount {
  readonly account: AccountView;
  /** The role that the user's next token has. */
  readonly role: UserRole;
}

export interface AccountQueries {
  byId(userId: string): Promise<KnownAccount | undefined>;
}

const columns = ['id', 'name', 'username', 'email', 'admin_since', 'created_at', 'updated_at'] as const;

export function createAccountQueries({
  db,
  roles,
}: {
  readonly db: Kysely<ReadModels>;
  readonly roles: Roles;
}): AccountQueries {
  return {
    async byId(userId) {
      const row = await askColumnsInPlace(db, { projection, table: 'users', columns }, (inPlace) =>
        db.selectFrom('accounts.users').select(inPlace).where('id', '=', userId).executeTakeFirst(),
      );
      if (row === undefined) return undefined;
      const { id, name, username, email, created_at, updated_at } = row;
      // The tables of an older version do not have this column.
      const { admin_since = null }: Partial<typeof row> = row;
      const role = roles.roleOf({ email, isGranted: admin_since !== null });
      const times = { createdAt: created_at.toISOString(), updatedAt: updated_at.toISOString() };
      return { account: { id, name, username, email, ...times }, role };
    },
  };
}
