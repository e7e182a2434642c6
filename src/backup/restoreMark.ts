import { existsSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { StartError } from '../core/startError.ts';

/** A file in a data folder that is being restored. */
export const RESTORE_MARK = 'restore-unfinished';

/** @throws StartError when a restore into this data folder has begun and not ended. */
export function refuseUnfinishedRestore(dataDir: string): void {
  if (!existsSync(join(dataDir, RESTORE_MARK))) return;
  throw new StartError(
    `A restore into DATA_DIR (${dataDir}) was interrupted, so not everything is there. Run "reelstream restore" again: it begins anew. Or set DATA_DIR to another folder.`,
  );
}

export async function markRestore(dataDir: string): Promise<void> {
  await using mark = await open(join(dataDir, RESTORE_MARK), 'w', 0o600);
  await mark.writeFile('A restore into this folder has not ended. "reelstream restore" begins it anew.\n');
  await mark.sync();
  await flushFolder(dataDir);
}

export async function unmarkRestore(dataDir: string): Promise<void> {
  await rm(join(dataDir, RESTORE_MARK));
  await flushFolder(dataDir);
}

async function flushFolder(path: string): Promise<void> {
  await using folder = await open(path, 'r');
  await folder.sync();
}
