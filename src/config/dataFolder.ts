import { accessSync, constants, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { StartError } from '../core/startError.ts';

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  EROFS: 'it is on a read-only file system',
  ENOENT: 'no folder can be made there',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  ENOTDIR: 'it is, or is below, a file',
  EEXIST: 'a file is where a folder has to be',
  ENAMETOOLONG: 'its name is too long',
  ELOOP: 'its symbolic links lead round in a circle',
};

/**
 * Makes the folder that everything durable lies in, open to its owner only, or checks the one that is there.
 * @throws StartError when it cannot be written to.
 */
export function openDataFolder(folder: string): void {
  try {
    makeFolder(folder);
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw folderError(folder, error);
  }
}

/** @throws StartError when this user cannot so much as look into the folder, or nobody can. */
export function enterDataFolder(folder: string): void {
  try {
    accessSync(folder, constants.X_OK);
  } catch (error) {
    throw folderError(folder, error);
  }
}

/** Turns what the file system refused into a sentence; errors of other kinds are given back as they are. */
export function folderError(folder: string, error: unknown): unknown {
  const reason = REASONS[(error as NodeJS.ErrnoException).code ?? ''];
  if (reason === undefined) return error;
  return new StartError(
    `DATA_DIR (${folder}) cannot be used: ${reason}. Mend that, or set DATA_DIR to another folder.`,
    { cause: error },
  );
}

/** What making something in the folder gives. @throws as `folderError` has it. */
export async function madeIn<T>(folder: string, making: Promise<T>): Promise<T> {
  try {
    return await making;
  } catch (error) {
    throw folderError(folder, error);
  }
}

/** Not `mkdir` with `recursive`: that never returns where nothing can be made, as below /proc. */
function makeFolder(folder: string): void {
  const found = statSync(folder, { throwIfNoEntry: false });
  if (found?.isDirectory()) return;
  if (found !== undefined) throw Object.assign(new Error(folder), { code: 'ENOTDIR' });
  if (dirname(folder) !== folder) makeFolder(dirname(folder));
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}
