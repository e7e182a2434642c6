import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, linkSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { folderError, openDataFolder } from './dataFolder.ts';
import {
  isAccepted,
  readSecretsFile,
  secretNames,
  stampOf,
  writeDraft,
  type KeptSecrets,
  type SecretName,
} from './secretsFile.ts';
import type { KeyRing } from '../core/keyRing.ts';
import { StartError } from '../core/startError.ts';

export interface Secrets {
  /** Signs access tokens. */
  readonly jwt: KeyRing<string>;
  /** Signs refresh tokens. */
  readonly refresh: KeyRing<string>;
  /** 32 bytes. Encrypts the keys of the users' personal data. */
  readonly dataKey: KeyRing<Buffer>;
  /** Those that are kept in `DATA_DIR/secrets.json`, because no variable sets them. */
  readonly kept: readonly SecretName[];
}

/** What the variables set. */
export interface GivenSecrets {
  readonly JWT_SECRET?: string | undefined;
  readonly REFRESH_SECRET?: string | undefined;
  readonly DATA_KEY?: Buffer | undefined;
  /** Further ones that are accepted. */
  readonly accepted?: {
    readonly JWT_SECRET?: readonly string[] | undefined;
    readonly REFRESH_SECRET?: readonly string[] | undefined;
    readonly DATA_KEY?: readonly Buffer[] | undefined;
  };
}

export interface SecretsPlace {
  readonly dataDir: string;
  /** The folder of the embedded database, if it is used. Its data is encrypted with the first data key. */
  readonly cluster: string | undefined;
}

/**
 * Reads the secrets that the environment does not set from `DATA_DIR/secrets.json` (mode 0600). Generates those that are
 * missing there too, once. Two processes that start at the same time use the same secrets. `refresh` of a secret notices
 * that the file was changed since.
 * @throws StartError when the data key does not fit the data that an older one has encrypted.
 */
export function completeSecrets(given: GivenSecrets, { dataDir, cluster }: SecretsPlace): Secrets {
  const path = pathIn(dataDir);
  let stamp = stampOf(path);
  let file = readSecretsFile(path);
  if (cluster !== undefined) checkDataKey(given, file, path, cluster);
  const wanted = secretNames.filter((name) => given[name] === undefined);
  if (wanted.length > 0) {
    file = complete(path, dataDir, file, wanted);
    stamp = stampOf(path);
  }
  file = withoutEnded(file);

  function refresh(): boolean {
    const before = file;
    const now = stampOf(path);
    if (wanted.length > 0 && now !== stamp) {
      file = changed(path, wanted) ?? file;
      stamp = now;
    }
    file = withoutEnded(file);
    return file !== before;
  }

  function ring<Key>(
    name: SecretName,
    ofVariable: Key | undefined,
    accepted: readonly Key[] = [],
    decode: (text: string) => Key,
  ): KeyRing<Key> {
    let source: KeptSecrets | undefined;
    let keys: readonly Key[] = [];
    return {
      keys() {
        if (source !== file) {
          source = file;
          const earlier = (file.EARLIER ?? []).filter((each) => each.name === name).map(({ value }) => decode(value));
          keys = [ofVariable ?? decode(file[name]!), ...accepted, ...earlier];
        }
        return keys;
      },
      refresh,
    };
  }

  return {
    jwt: ring('JWT_SECRET', given.JWT_SECRET, given.accepted?.JWT_SECRET, String),
    refresh: ring('REFRESH_SECRET', given.REFRESH_SECRET, given.accepted?.REFRESH_SECRET, String),
    dataKey: ring('DATA_KEY', given.DATA_KEY, given.accepted?.DATA_KEY, (text) => Buffer.from(text, 'base64')),
    kept: wanted,
  };
}

export const pathIn = (dataDir: string): string => join(dataDir, 'secrets.json');

export function newSecret(): string {
  return randomBytes(32).toString('base64');
}

/** Undefined when the file is gone or damaged: the process then goes on with what it knows. */
function changed(path: string, wanted: readonly SecretName[]): KeptSecrets | undefined {
  try {
    const file = readSecretsFile(path);
    return wanted.every((name) => file[name] !== undefined) ? file : undefined;
  } catch {
    return undefined;
  }
}

/** The same object when nothing has ended. */
function withoutEnded(file: KeptSecrets): KeptSecrets {
  const earlier = file.EARLIER ?? [];
  const accepted = earlier.filter((each) => isAccepted(each));
  return accepted.length === earlier.length ? file : { ...file, EARLIER: accepted };
}

function checkDataKey(given: GivenSecrets, kept: KeptSecrets, path: string, cluster: string): void {
  if (!existsSync(cluster)) return;
  if (given.DATA_KEY === undefined && kept.DATA_KEY === undefined) {
    throw new StartError(
      `DATA_KEY is not set, and ${path} does not contain it: the personal data in ${cluster} cannot be read without it. Set DATA_KEY to its earlier value, or set DATA_DIR to a new folder.`,
    );
  }
  if (given.DATA_KEY === undefined || kept.DATA_KEY === undefined) return;
  const ofFile = Buffer.from(kept.DATA_KEY, 'base64');
  if (![given.DATA_KEY, ...(given.accepted?.DATA_KEY ?? [])].some((key) => key.equals(ofFile))) {
    throw new StartError(
      `DATA_KEY differs from the one in ${path}, which encrypted the personal data in ${cluster}. Unset it, or set DATA_DIR to a new folder. To replace the key, see "reelstream keys rotate --help".`,
    );
  }
}

/** Generates those that are wanted and missing. */
function complete(path: string, dataDir: string, kept: KeptSecrets, wanted: readonly SecretName[]): KeptSecrets {
  openDataFolder(dataDir);
  const missing = wanted.filter((name) => kept[name] === undefined);
  const exists = stampOf(path) !== undefined;
  let draft: string | undefined;
  try {
    if (missing.length === 0) {
      chmodSync(path, 0o600);
      return kept;
    }
    const all = { ...Object.fromEntries(missing.map((name) => [name, newSecret()])), ...kept };
    draft = writeDraft(path, all);
    if (exists) renameSync(draft, path);
    else linkSync(draft, path);
    return all;
  } catch (error) {
    // Another process was faster. Its secrets are used then, and completed if it needed fewer.
    if ((error as NodeJS.ErrnoException).code === 'EEXIST')
      return complete(path, dataDir, readSecretsFile(path), wanted);
    throw folderError(dataDir, error);
  } finally {
    if (draft !== undefined) rmSync(draft, { force: true });
  }
}
