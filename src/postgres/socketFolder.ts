import { chown, mkdtemp, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cluster } from './cluster.ts';
import { LONGEST_SOCKET } from './unixSocket.ts';

/** Its name in the folder that PostgreSQL is told; 5432 is the port that we tell it. */
export const SOCKET = '.s.PGSQL.5432';

/** Where sockets go then: the beginning of the name. */
const PREFIX = '/tmp/reelstream-socket-';

/**
 * Where the server's socket goes, as `unix_socket_directories` has it: into the data folder, or, where that name is too
 * long, into a private folder. To be chosen once, since it is part of the URL.
 */
export async function makeSocketFolder({ folder, account }: Cluster): Promise<string> {
  if (Buffer.byteLength(join(folder, SOCKET)) <= LONGEST_SOCKET) return '.';
  const made = await mkdtemp(PREFIX);
  if (account) await chown(made, account.uid, account.gid);
  return made;
}

/** A folder that `makeSocketFolder` made, with what a server leaves in it; never any other, which may hold the data. */
export async function removeSocketFolder(folder: string): Promise<void> {
  if (!folder.startsWith(PREFIX)) return;
  for (const file of [SOCKET, `${SOCKET}.lock`]) await rm(join(folder, file), { force: true });
  await rmdir(folder).catch(() => undefined);
}
