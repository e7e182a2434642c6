import { randomBytes, randomInt } from 'node:crypto';
import { readdir, rename, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { LONGEST_SOCKET, shortName, someoneListens } from './unixSocket.ts';

const NAME = /^lock-[0-9a-f]{8}$/;
/** A killed process lives on for a moment, and two that start at once step back from each other (ms). */
const PATIENCE_MS = 2_000;

export interface InstanceLock {
  release(): Promise<void>;
}

/**
 * The right to run this data folder: a Unix socket in it that this process listens on. So it dies with the process,
 * however the process does, and is seen from another container that shares the volume, where a process id means nothing.
 * Undefined when another process holds it.
 */
export async function takeInstanceLock(dataDir: string): Promise<InstanceLock | undefined> {
  for (const deadline = performance.now() + PATIENCE_MS; ; await delay(randomInt(50, 250))) {
    const name = `lock-${randomBytes(4).toString('hex')}`;
    const server = await listen(dataDir, name);
    const release = async (): Promise<void> => {
      await rm(join(dataDir, name), { force: true });
      await new Promise((closed) => server.close(closed));
    };
    try {
      // Each shows itself first and looks for others then: of two at once, at least one sees the other.
      if (!(await anotherListens(dataDir, name))) return { release };
    } catch (error) {
      await release();
      throw error;
    }
    await release();
    if (performance.now() > deadline) return undefined;
  }
}

/** Gets its name once it listens, so that it is not taken for one that was left behind. */
async function listen(dataDir: string, name: string): Promise<Server> {
  await using folder = await shortName(dataDir);
  const draft = join(folder.path, `${name}~`);
  if (Buffer.byteLength(draft) > LONGEST_SOCKET) throw Object.assign(new Error(draft), { code: 'ENAMETOOLONG' });
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    // Who may enter the folder may ask: a start as root and one as the folder's owner have to see each other.
    server.listen({ path: draft, writableAll: true }, resolve);
  });
  server.unref();
  await rename(draft, join(folder.path, name));
  return server;
}

async function anotherListens(dataDir: string, own: string): Promise<boolean> {
  for (const name of await readdir(dataDir)) {
    if (!NAME.test(name) || name === own) continue;
    if (await someoneListens(dataDir, name)) return true;
    // A killed process's.
    await rm(join(dataDir, name), { force: true }).catch(() => undefined);
  }
  return false;
}
