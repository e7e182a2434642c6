import { execFile } from 'node:child_process';
import { link, readFile, readlink, rename, rm, stat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { promisify } from 'node:util';
import { isAlive } from '../core/isAlive.ts';
import { ignoreMissing } from './cluster.ts';
import { SOCKET } from './socketFolder.ts';

/** The file `postmaster.pid` of a running server, in its data folder (see src/include/utils/pidfile.h of PostgreSQL). */
export interface PidFile {
  readonly pid: number;
  /** The folder of its socket, absolute. Undefined while the server starts. */
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
    // A server always has its data folder as its working directory. Paths may differ, so inodes are compared.
    const [own, wanted] = await Promise.all([stat(`/proc/${pid}/cwd`), stat(folder)]);
    return own.ino === wanted.ino && own.dev === wanted.dev;
  } catch {
    // The process has ended, is a zombie, or belongs to another user.
    return false;
  }
}

async function commandOf(pid: number): Promise<string> {
  return (await promisify(execFile)('ps', ['-o', 'command=', '-p', String(pid)]).catch(() => ({ stdout: '' }))).stdout;
}

/**
 * Removes the lock files of a dead server. PostgreSQL does this by itself, except when its process id now belongs to another program
 * of the same user, which is common in containers. PostgreSQL would then never start.
 */
export async function removeStaleFiles(folder: string): Promise<void> {
  // This file has the same problem. The pid file protects it.
  await rm(join(folder, `${SOCKET}.lock`), { force: true });
  const path = join(folder, 'postmaster.pid');
  const aside = `${path}.stale-${process.pid}`;
  try {
    await rename(path, aside);
  } catch (error) {
    return ignoreMissing(error);
  }
  // A server that has started meanwhile gets its file back, since the file prevents a second server.
  const moved = Number((await readFile(aside, 'utf8')).split('\n')[0]);
  if (await isServerOf(folder, moved)) await link(aside, path);
  await rm(aside);
}
