import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { StartError } from '../core/startError.ts';
import { folderError, openDataFolder } from './dataFolder.ts';

const KEY = /^[A-Za-z0-9+/]{43}=\n?$/;

/** The key that signs seals (32 bytes) in `DATA_DIR/seal.key`; undefined when there is none. @throws StartError */
export function readSealKey(dataDir: string): Buffer | undefined {
  const path = pathIn(dataDir);
  try {
    const text = readFileSync(path, 'utf8');
    if (!KEY.test(text)) throw new StartError(`${path} must contain 32 bytes in base64. Restore it, or set SEAL_KEY.`);
    return Buffer.from(text, 'base64');
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw folderError(dataDir, error);
  }
}

/** The same; makes it if there is none. Two processes that do so at the same time get the same key. */
export function makeSealKey(dataDir: string): Buffer {
  const found = readSealKey(dataDir);
  if (found !== undefined) return found;
  openDataFolder(dataDir);
  const draft = `${pathIn(dataDir)}.${process.pid}`;
  try {
    writeFileSync(draft, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600, flush: true });
    linkSync(draft, pathIn(dataDir));
  } catch (error) {
    // Another process was faster: its key counts.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw folderError(dataDir, error);
  } finally {
    rmSync(draft, { force: true });
  }
  return readSealKey(dataDir)!;
}

const pathIn = (dataDir: string): string => join(dataDir, 'seal.key');
