import { readFile } from 'node:fs/promises';
import { StartError } from '../core/startError.ts';

/** The user that a process runs as. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/**
 * PostgreSQL refuses to run as root, so root gives the server a user of its own, one that owns nothing else: unlike
 * `nobody`, no other program runs as it. The number is from the range that systemd keeps unused
 * (systemd.io/UIDS-GIDS), and below 65536, so that containers with a small user namespace have it too.
 */
const SERVER: Account = { uid: 61_018, gid: 61_018 };

/** Whom the server runs as: nobody but ourselves (undefined), or, when we are root, the owner of the data. */
export function serverAccount(owner?: Account): Account | undefined {
  if (process.geteuid?.() !== 0) return undefined;
  return owner === undefined || owner.uid === 0 ? SERVER : { uid: owner.uid, gid: owner.gid };
}

/** initdb, unlike the server, wants its user to have a name; what it writes is handed to the server's account afterwards. */
export async function namedAccount(): Promise<Account> {
  const users = (await readFile('/etc/passwd', 'utf8'))
    .split('\n')
    .map((line) => line.split(':'))
    .map(([name, , uid, gid]) => ({ name, uid: Number(uid) >>> 0, gid: Number(gid) >>> 0 }))
    .filter(({ uid }) => uid > 0);
  const user = users.find(({ name }) => name === 'nobody') ?? users[0];
  if (user === undefined) {
    throw new StartError(
      'PostgreSQL does not run as root, and /etc/passwd names no other user. Start as an ordinary user, or set DATABASE_URL.',
    );
  }
  return { uid: user.uid, gid: user.gid };
}
