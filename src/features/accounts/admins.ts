import type { CommandContext } from '../../core/commandContext.ts';
import { handleCommand } from '../../core/commandHandler.ts';
import { DomainError } from '../../core/errors.ts';
import type { EventStore } from '../../core/eventStore.ts';
import { userDecider, userStream, type RegisteredUser, type UserCommand } from './decider.ts';
import type { AdminChange, AdminGranted, AdminRevoked } from './events.ts';
import type { NameHash } from './names.ts';
import { findUserByEmail, readUser } from './readAccount.ts';
import { createRoles } from './roles.ts';

export interface AdminsOptions {
  readonly store: Pick<EventStore, 'append' | 'readStream' | 'readAll'>;
  readonly nameHash: NameHash;
  /** `ADMIN_EMAILS` */
  readonly adminEmails: readonly string[];
}

/** A user with the role admin, or an e-mail address that gets it. */
export interface Admin {
  readonly email: string;
  /** Undefined: nobody has registered with this address, which `ADMIN_EMAILS` lists. */
  readonly userId: string | undefined;
  /** Undefined: the role is not granted in the log. */
  readonly granted: Pick<AdminChange, 'by' | 'at'> | undefined;
  /** Whether `ADMIN_EMAILS` lists the address. */
  readonly isListed: boolean;
}

/** Who has the role admin, read from the log, so that it is right also while read models are behind. */
export interface Admins {
  /** Answers false when the role was granted already. @throws DomainError `account_unknown` */
  grant(email: string, by: string, context: CommandContext): Promise<boolean>;
  /**
   * Answers false when the role was not granted. Access tokens that were issued before keep the role until they expire.
   * @throws DomainError `account_unknown`; `admin_listed`: the user would be an admin all the same.
   */
  revoke(email: string, by: string, context: CommandContext): Promise<boolean>;
  /** Those to whom the role was granted, in the order of the grants; then the others that `ADMIN_EMAILS` lists. */
  list(): Promise<Admin[]>;
}

export function createAdmins({ store, nameHash, adminEmails }: AdminsOptions): Admins {
  const { isListed } = createRoles({ adminEmails });

  async function change(
    type: 'GrantAdmin' | 'RevokeAdmin',
    { id: userId }: RegisteredUser,
    by: string,
    context: CommandContext,
  ): Promise<boolean> {
    const command: UserCommand = { type, userId, by, at: context.now.toISOString() };
    const { events } = await handleCommand(store, userDecider, userStream(userId), command, context);
    return events.length > 0;
  }

  async function find(email: string): Promise<RegisteredUser> {
    const user = await findUserByEmail(store, nameHash, email);
    if (user !== undefined) return user;
    throw new DomainError(
      'notFound',
      'account_unknown',
      `No account has the e-mail address ${email}. Register the account first.`,
    );
  }

  return {
    grant: async (email, by, context) => change('GrantAdmin', await find(email), by, context),
    async revoke(email, by, context) {
      const user = await find(email);
      if (isListed(email)) throw listed(user);
      return change('RevokeAdmin', user, by, context);
    },
    async list() {
      const admins: Admin[] = [];
      for (const [userId, granted] of await grants(store)) {
        const user = await readUser(store, userId);
        if (user.status !== 'registered') continue;
        admins.push({ email: user.email, userId, granted, isListed: isListed(user.email) });
      }
      for (const email of adminEmails) {
        const user = await findUserByEmail(store, nameHash, email);
        if (user !== undefined && admins.some(({ userId }) => userId === user.id)) continue;
        admins.push({ email: user?.email ?? email, userId: user?.id, granted: undefined, isListed: true });
      }
      return admins;
    },
  };
}

/** The users to whom the role is granted, in the order of the grants. */
async function grants(store: Pick<EventStore, 'readAll'>): Promise<Map<string, Pick<AdminChange, 'by' | 'at'>>> {
  const found = new Map<string, Pick<AdminChange, 'by' | 'at'>>();
  for await (const { events } of store.readAll({ after: 0n, types: ['AdminGranted', 'AdminRevoked'] })) {
    // The filter lets no other types through.
    for (const { type, data } of events as unknown as readonly (AdminGranted | AdminRevoked)[]) {
      const { userId, by, at } = data;
      if (type === 'AdminGranted') found.set(userId, { by, at });
      else found.delete(userId);
    }
  }
  return found;
}

function listed({ email, admin }: RegisteredUser): DomainError {
  const then = admin === 'granted' ? ' Then revoke the role again, because it was granted too.' : '';
  return new DomainError(
    'conflict',
    'admin_listed',
    `${email} is an administrator because ADMIN_EMAILS lists the address. Remove it from ADMIN_EMAILS and restart the servers.${then}`,
  );
}
