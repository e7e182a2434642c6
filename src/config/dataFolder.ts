import { accessSync, constants, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { StartError } from '../core/startError.ts';

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  EROFS: 'it is on a read-only file system',
  ENOENT: 'no folder can be created there',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  ENOTDIR: 'it is, or is below, a file',
  EEXIST: 'a file is in the place of the folder',
  ENAMETOOLONG: 'its name is too long',
  ELOOP: 'its symbolic links form a loop',
};

/**
 * Creates the folder for everything durable, accessible to its owner only. Checks it when it already exists.
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

/** @throws StartError when this user may not enter the folder, or it is none. */
export function enterDataFolder(folder: string): void {
  try {
    accessSync(folder, constants.X_OK);
  } catch (error) {
    throw folderError(folder, error);
  }
}

/** A StartError that explains an error of the file system. Other errors are returned as they are. */
export function folderError(folder: string, error: unknown): unknown {
  const reason = REASONS[(error as NodeJS.ErrnoException).code ?? ''];
  if (reason === undefined) return error;
  return new StartError(
    `DATA_DIR (${folder}) cannot be used: ${reason}. Fix this, or set DATA_DIR to another folder.`,
    { cause: error },
  );
}

/** Waits until something is created in the folder. @throws the error that `folderError` returns for a failure. */
export async function createInDataFolder<T>(folder: string, creating: Promise<T>): Promise<T> {
  try {
    return await creating;
  } catch (error) {
    throw folderError(folder, error);
  }
}

/** Not `mkdir` with `recursive`, which never returns where no folder can be created, for example below /proc. */
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
