import { readFile } from 'node:fs/promises';
import { StartError } from '../core/startError.ts';

/** A user of the operating system. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/**
 * PostgreSQL refuses to run as root, so root starts it as this user. Unlike `nobody`, this user runs no other program and owns no
 * other files. The number is in the range that systemd keeps unused (systemd.io/UIDS-GIDS). It is below 65536, so that it also
 * exists in containers with a small user namespace.
 */
const SERVER_ACCOUNT: Account = { uid: 61_018, gid: 61_018 };

/**
 * The user that the server runs as: the user of this process (undefined), or, when this process runs as root, the owner of the
 * data. PostgreSQL refuses to run as root.
 */
export function serverAccount(owner?: Account): Account | undefined {
  if (process.geteuid?.() !== 0) return undefined;
  return owner === undefined || owner.uid === 0 ? SERVER_ACCOUNT : { uid: owner.uid, gid: owner.gid };
}

/** Unlike the server, initdb needs a user with a name. Its files are given to the user of the server afterwards. */
export async function namedAccount(): Promise<Account> {
  const users = (await readFile('/etc/passwd', 'utf8'))
    .split('\n')
    .map((line) => line.split(':'))
    .map(([name, , uid, gid]) => ({ name, uid: Number(uid) >>> 0, gid: Number(gid) >>> 0 }))
    .filter(({ uid }) => uid > 0);
  const user = users.find(({ name }) => name === 'nobody') ?? users[0];
  if (user === undefined) {
    throw new StartError(
      'PostgreSQL does not run as root, and /etc/passwd names no other user. Start ReelStream as an ordinary user, or set DATABASE_URL.',
    );
  }
  return { uid: user.uid, gid: user.gid };
}
