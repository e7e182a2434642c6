import { closeSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import { StartError } from '../core/startError.ts';
import { takeInstanceLock, type InstanceLock } from '../postgres/instanceLock.ts';
import { folderError } from './dataFolder.ts';
import { newSecret, pathIn } from './secrets.ts';
import {
  isAccepted,
  readSecretsFile,
  writeDraft,
  type EarlierSecret,
  type KeptSecrets,
  type SecretName,
} from './secretsFile.ts';

/**
 * Replaces a secret that signs in `DATA_DIR/secrets.json`. The one before is accepted until then, or no longer, nor any
 * before it.
 */
export async function replaceSecret(
  dataDir: string,
  name: Exclude<SecretName, 'DATA_KEY'>,
  until: Date | 'refused',
): Promise<void> {
  await change(dataDir, (file) => {
    if (until !== 'refused') return replaced(file, name, until.toISOString());
    return { ...file, [name]: newSecret(), EARLIER: file.EARLIER?.filter((each) => each.name !== name) };
  });
}

/** Replaces `DATA_KEY`, unless this was done and not every user's key is encrypted with the new one. */
export async function beginDataKey(dataDir: string): Promise<void> {
  await change(dataDir, (file) => (file.EARLIER?.some(isNeeded) ? file : replaced(file, 'DATA_KEY', undefined)));
}

/** Every key of a user is encrypted with the present `DATA_KEY`: earlier ones are accepted until then, for what they signed. */
export async function endEarlierDataKeys(dataDir: string, until: Date): Promise<void> {
  await change(dataDir, (file) => ({
    ...file,
    EARLIER: file.EARLIER?.map((each) => (isNeeded(each) ? { ...each, until: until.toISOString() } : each)),
  }));
}

/** A `DATA_KEY` that still encrypts keys of users. */
function isNeeded({ name, until }: EarlierSecret): boolean {
  return name === 'DATA_KEY' && until === undefined;
}

function replaced(file: KeptSecrets, name: SecretName, until: string | undefined): KeptSecrets {
  const value = file[name];
  const earlier = value === undefined ? [] : [{ name, value, until }];
  return { ...file, [name]: newSecret(), EARLIER: [...earlier, ...(file.EARLIER ?? [])] };
}

/** A variable sets `DATA_KEY` from now on: the one of the file is an earlier one. */
export async function removeDataKey(dataDir: string): Promise<void> {
  await change(dataDir, ({ DATA_KEY: _, ...file }) => file);
}

/** Removes those from the file that are no longer accepted. */
export async function dropEndedSecrets(dataDir: string): Promise<void> {
  await change(dataDir, (file) => file);
}

/** Whether the file holds secrets that are no longer accepted. */
export function hasEndedSecrets(dataDir: string): boolean {
  return (readSecretsFile(pathIn(dataDir)).EARLIER ?? []).some((each) => !isAccepted(each));
}

/** How often the lock is tried for (each time for 2 s). */
const TRIES = 5;

/** Changes the file as a whole, and durably: a reader sees the old content or the new one. One process at a time does so. */
async function change(dataDir: string, edit: (file: KeptSecrets) => KeptSecrets): Promise<void> {
  const path = pathIn(dataDir);
  let draft: string | undefined;
  const lock = await takeLock(dataDir);
  if (lock === undefined) throw new StartError(`Another process is changing ${path}. Try again.`);
  try {
    const edited = edit(readSecretsFile(path));
    const earlier = edited.EARLIER?.filter((each) => isAccepted(each)) ?? [];
    draft = writeDraft(path, { ...edited, EARLIER: earlier.length === 0 ? undefined : earlier });
    renameSync(draft, path);
    syncFolder(dataDir);
  } catch (error) {
    throw folderError(dataDir, error);
  } finally {
    if (draft !== undefined) rmSync(draft, { force: true });
    await lock.release();
  }
}

async function takeLock(dataDir: string): Promise<InstanceLock | undefined> {
  try {
    let lock: InstanceLock | undefined;
    for (let tries = 0; lock === undefined && tries < TRIES; tries++)
      lock = await takeInstanceLock(dataDir, 'secrets-lock');
    return lock;
  } catch (error) {
    throw folderError(dataDir, error);
  }
}

/** Makes a rename durable: the database must never need a key that a power cut takes back. */
function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
