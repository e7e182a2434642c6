import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { mkdtemp, rm, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A file system in memory that holds so many megabytes. */
export interface SmallDisk extends AsyncDisposable {
  readonly folder: string;
  resize(megabytes: number): Promise<void>;
}

export async function createSmallDisk(megabytes: number): Promise<SmallDisk> {
  const folder = await mkdtemp(join(tmpdir(), 'small-disk-'));
  const mount = (options: string): Promise<unknown> => run('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder]);
  await mount(`size=${megabytes}m`);
  return {
    folder,
    resize: async (to) => void (await mount(`remount,size=${to}m`)),
    async [Symbol.asyncDispose]() {
      await run('umount', [folder]);
      await rmdir(folder);
    },
  };
}

/** Whether this user may mount file systems: root, and not in every container. */
export function canMount(): boolean {
  if (process.getuid?.() !== 0) return false;
  const folder = execFileSync('mktemp', ['-d'], { encoding: 'utf8' }).trim();
  const mounted = spawnSync('mount', ['-t', 'tmpfs', 'tmpfs', folder]).status === 0;
  if (mounted) execFileSync('umount', [folder]);
  void rm(folder, { recursive: true });
  return mounted;
}
