import { execFile } from 'node:child_process';
import { link, readFile, readlink, rename, rm, stat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { promisify } from 'node:util';
import { ignoreMissing, isAlive } from './cluster.ts';
import { SOCKET } from './socketFolder.ts';

/** What a running server says of itself in its data folder (`postmaster.pid`; src/include/utils/pidfile.h in PostgreSQL). */
export interface PidFile {
  readonly pid: number;
  /** Folder of its socket, absolute; undefined while it is starting. */
  readonly socketFolder: string | undefined;
  readonly ready: boolean;
}

export async function readPidFile(folder: string): Promise<PidFile | undefined> {
  const text = await readFile(join(folder, 'postmaster.pid'), 'utf8').catch(ignoreMissing);
  if (text === undefined) return undefined;
  const lines = text.split('\n').map((line) => line.trim());
  const socket = lines[4];
  return {
    pid: Number(lines[0]),
    socketFolder: socket ? (isAbsolute(socket) ? socket : join(folder, socket)) : undefined,
    ready: lines[7] === 'ready',
  };
}

export async function isServerOf(folder: string, pid: number): Promise<boolean> {
  if (!Number.isInteger(pid) || pid <= 0 || !isAlive(pid)) return false;
  if (process.platform !== 'linux') return (await commandOf(pid)).includes(folder);
  try {
    if (!(await readlink(`/proc/${pid}/exe`)).includes('postgres')) return false;
    // The same folder, by whatever path: a server stays in its data folder from its first moment to its last.
    const [own, wanted] = await Promise.all([stat(`/proc/${pid}/cwd`), stat(folder)]);
    return own.ino === wanted.ino && own.dev === wanted.dev;
  } catch {
    // Gone meanwhile, a zombie, or another user's: not one of ours.
    return false;
  }
}

async function commandOf(pid: number): Promise<string> {
  return (await promisify(execFile)('ps', ['-o', 'command=', '-p', String(pid)]).catch(() => ({ stdout: '' }))).stdout;
}

/**
 * Removes the lock files of a server that is dead. PostgreSQL does that itself unless the number in them now belongs
 * to another program of the same user, which is common in containers; it would then refuse to start for ever.
 */
export async function removeStaleFiles(folder: string): Promise<void> {
  // Guarded by the pid file, and as easily mistaken for another's.
  await rm(join(folder, `${SOCKET}.lock`), { force: true });
  const path = join(folder, 'postmaster.pid');
  const aside = `${path}.stale-${process.pid}`;
  try {
    await rename(path, aside);
  } catch (error) {
    return ignoreMissing(error);
  }
  // A server that started between our look and our move gets its file back: it is what keeps a second one out.
  const moved = Number((await readFile(aside, 'utf8')).split('\n')[0]);
  if (await isServerOf(folder, moved)) await link(aside, path);
  await rm(aside);
}
