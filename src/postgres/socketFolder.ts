import { chown, mkdtemp, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cluster } from './cluster.ts';
import { MAX_SOCKET_PATH } from './unixSocket.ts';

/** The name of the socket. PostgreSQL derives it from the port, which is 5432. */
export const SOCKET = '.s.PGSQL.5432';

/** The beginning of the path of a private folder for sockets. */
const PREFIX = '/tmp/reelstream-socket-';

/**
 * The folder of the server's socket, for `unix_socket_directories`: the data folder, or a private folder when the path of the data
 * folder is too long. Chosen once, since it is part of the URL.
 */
export async function makeSocketFolder({ folder, account }: Cluster): Promise<string> {
  if (Buffer.byteLength(join(folder, SOCKET)) <= MAX_SOCKET_PATH) return '.';
  const made = await mkdtemp(PREFIX);
  if (account) await chown(made, account.uid, account.gid);
  return made;
}

/** Removes a folder that `makeSocketFolder` has created, and the files of a server in it. Never removes a data folder. */
export async function removeSocketFolder(folder: string): Promise<void> {
  if (!folder.startsWith(PREFIX)) return;
  for (const file of [SOCKET, `${SOCKET}.lock`]) await rm(join(folder, file), { force: true });
  await rmdir(folder).catch(() => undefined);
}
