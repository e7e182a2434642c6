import { randomBytes, randomInt } from 'node:crypto';
import { readdir, rename, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { MAX_SOCKET_PATH, shortName, someoneListens } from './unixSocket.ts';

/** How long to try: a killed process ends after a moment, and of two concurrent starts both may have to retry (ms). */
const TIMEOUT_MS = 2_000;

export interface InstanceLock {
  release(): Promise<void>;
}

/** What a lock protects: the whole folder, or only the change of `secrets.json`. */
type Protected = 'lock' | 'secrets-lock';

/**
 * The lock of a data folder: a Unix socket in the folder on which this process listens. The lock ends with the process, even when
 * the process is killed. It also works between containers that share the volume, where a process id has no meaning.
 * Undefined when another process holds the lock.
 */
export async function takeInstanceLock(dataDir: string, what: Protected = 'lock'): Promise<InstanceLock | undefined> {
  for (const deadline = performance.now() + TIMEOUT_MS; ; await delay(randomInt(50, 250))) {
    const name = `${what}-${randomBytes(4).toString('hex')}`;
    const server = await listen(dataDir, name);
    const release = async (): Promise<void> => {
      await rm(join(dataDir, name), { force: true });
      await new Promise((closed) => server.close(closed));
    };
    try {
      // First listen, then look for others: of two concurrent starts, at least one finds the other.
      if (!(await anotherListens(dataDir, what, name))) return { release };
    } catch (error) {
      await release();
      throw error;
    }
    await release();
    if (performance.now() > deadline) return undefined;
  }
}

/** The socket gets its name after it listens, so that nobody takes it for one that was left behind. */
async function listen(dataDir: string, name: string): Promise<Server> {
  await using folder = await shortName(dataDir);
  const draft = join(folder.path, `${name}~`);
  if (Buffer.byteLength(draft) > MAX_SOCKET_PATH) throw Object.assign(new Error(draft), { code: 'ENAMETOOLONG' });
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    // Everybody who may enter the folder may connect, so that a start as root and a start as the owner find each other.
    server.listen({ path: draft, writableAll: true }, resolve);
  });
  server.unref();
  await rename(draft, join(folder.path, name));
  return server;
}

async function anotherListens(dataDir: string, what: Protected, own: string): Promise<boolean> {
  const named = new RegExp(`^${what}-[0-9a-f]{8}$`);
  for (const name of await readdir(dataDir)) {
    if (!named.test(name) || name === own) continue;
    if (await someoneListens(dataDir, name)) return true;
    // A killed process has left it behind.
    await rm(join(dataDir, name), { force: true }).catch(() => undefined);
  }
  return false;
}
