import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { enterDataFolder, folderError, openDataFolder } from './dataFolder.ts';
import { StartError } from '../core/startError.ts';

export interface Secrets {
  /** Signs access tokens. */
  readonly jwt: string;
  /** Signs refresh tokens. */
  readonly refresh: string;
  /** 32 bytes. Encrypts the keys of the users' personal data. */
  readonly dataKey: Buffer;
}

/** The content of the file. DATA_KEY is in base64. */
type Kept = Partial<Record<'JWT_SECRET' | 'REFRESH_SECRET' | 'DATA_KEY', string>>;

export interface SecretsPlace {
  readonly dataDir: string;
  /** The folder of the embedded database, if it is used. Its data is encrypted with the first data key. */
  readonly cluster: string | undefined;
}

/**
 * Reads the secrets that the environment does not set from `DATA_DIR/secrets.json` (mode 0600). Generates those that are
 * missing there too, once. Two processes that start at the same time use the same secrets.
 * @throws StartError when the data key does not fit the data that an older one has encrypted.
 */
export function completeSecrets(given: Partial<Secrets>, { dataDir, cluster }: SecretsPlace): Secrets {
  const { jwt, refresh, dataKey } = given;
  const path = join(dataDir, 'secrets.json');
  const kept = read(path);
  if (cluster !== undefined) checkDataKey(dataKey, kept, path, cluster);
  const complete = jwt !== undefined && refresh !== undefined && dataKey !== undefined;
  const made = complete ? kept : keep(path, dataDir, kept);
  return {
    jwt: jwt ?? made.JWT_SECRET ?? '',
    refresh: refresh ?? made.REFRESH_SECRET ?? '',
    dataKey: dataKey ?? Buffer.from(made.DATA_KEY ?? '', 'base64'),
  };
}

function checkDataKey(given: Buffer | undefined, kept: Kept, path: string, cluster: string): void {
  if (!existsSync(cluster)) return;
  if (given === undefined && kept.DATA_KEY === undefined) {
    throw new StartError(
      `DATA_KEY is not set, and ${path} does not contain it: the personal data in ${cluster} cannot be read without it. Set DATA_KEY to its earlier value, or set DATA_DIR to a new folder.`,
    );
  }
  if (given !== undefined && kept.DATA_KEY !== undefined && !given.equals(Buffer.from(kept.DATA_KEY, 'base64'))) {
    throw new StartError(
      `DATA_KEY differs from the one in ${path}, which encrypted the personal data in ${cluster}. Unset it, or set DATA_DIR to a new folder.`,
    );
  }
}

function read(path: string): Kept {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Kept;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || (error as NodeJS.ErrnoException).code === 'ENOTDIR')
      return {};
    enterDataFolder(dirname(path));
    throw new StartError(
      `${path} contains ReelStream's secrets and cannot be read (${(error as Error).message}). Restore it from a backup, or set DATA_DIR to a new folder.`,
      { cause: error },
    );
  }
}

function keep(path: string, dataDir: string, kept: Kept): Kept {
  openDataFolder(dataDir);
  const all = { JWT_SECRET: random(), REFRESH_SECRET: random(), DATA_KEY: random(), ...kept };
  const draft = `${path}.${process.pid}`;
  try {
    if (Object.keys(kept).length === Object.keys(all).length) {
      chmodSync(path, 0o600);
      return kept;
    }
    writeFileSync(draft, `${JSON.stringify(all, undefined, 2)}\n`, { mode: 0o600, flush: true });
    if (Object.keys(kept).length > 0) renameSync(draft, path);
    // Fails when another process was faster. Its secrets are used then.
    else linkSync(draft, path);
    return all;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return read(path);
    throw folderError(dataDir, error);
  } finally {
    rmSync(draft, { force: true });
  }
}

function random(): string {
  return randomBytes(32).toString('base64');
}
