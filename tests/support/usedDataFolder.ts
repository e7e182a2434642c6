import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { eventually } from './eventually.ts';
import { SystemProcess } from './systemProcess.ts';

let made: Promise<string> | undefined;

/**
 * Makes `dataDir` a data folder of an earlier start that ended without an account. A first start takes three times as long, mostly
 * for initdb; tests/lifecycle proves it. Does nothing when the run uses an outside server: it has no folder then.
 */
export async function copyUsedDataFolder(dataDir: string): Promise<void> {
  const run = process.env['REELSTREAM_TEST_FOLDER'];
  if (run === undefined) return;
  // With the owners of its files.
  await promisify(execFile)('cp', ['-a', await (made ??= provide(join(run, 'used'))), dataDir]);
}

/** All workers of a run use one, which the first of them makes. */
async function provide(folder: string): Promise<string> {
  const ready = join(folder, 'data');
  try {
    await mkdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    await eventually(() => existsSync(ready), { within: 150_000, what: `another worker has made ${ready}` });
    return ready;
  }
  const draft = join(folder, 'draft');
  const { PATH, HOME } = process.env;
  const first = await SystemProcess.create('serve', 0, folder, { PATH, HOME, DATA_DIR: draft });
  await first.start();
  const code = await first.end('SIGTERM');
  if (code !== 0) throw new Error(`the first start ended with ${code}:\n${first.logTail(20)}`);
  await rename(draft, ready);
  return ready;
}
