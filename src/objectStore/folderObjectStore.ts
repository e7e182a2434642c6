import { constants, copyFile, link, mkdir, open, readdir, rename, rm, rmdir, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { assertKey, isKey } from './keys.ts';
import { ObjectNotFound, ObjectStoreUnavailable, type ObjectStore } from './objectStore.ts';

export interface FolderObjectStoreOptions {
  /** Absolute. Made when it is not there. */
  readonly root: string;
  /** What comes before the key in an address, without a slash at its end: `http://localhost:3000/media`. */
  readonly publicUrl: string;
}

/** Files on their way in; a key cannot begin like this. */
const INCOMING = '.incoming';
/** Longer than any copy takes. */
const ABANDONED_MS = 60 * 60_000;

/**
 * Objects as files. An object is there whole or not at all, also after a power cut: the bytes are on the disk before
 * the name is.
 */
export async function createFolderObjectStore({ root, publicUrl }: FolderObjectStoreOptions): Promise<ObjectStore> {
  const incoming = join(root, INCOMING);
  await mkdir(incoming, { recursive: true, mode: 0o700 });
  await sweep(incoming);

  const pathOf = (key: string): string => {
    assertKey(key);
    return join(root, ...key.split('/'));
  };

  return {
    putFile: async (key, path, _contentType, signal) => {
      const target = pathOf(key);
      signal?.throwIfAborted();
      if ((await stat(target).catch(undefinedIfMissing))?.isFile()) return;
      const temporary = join(incoming, `${hostname()}.${process.pid}.${randomUUID()}`);
      try {
        await keepAs(temporary, path);
        await flush(temporary);
        signal?.throwIfAborted();
        await mkdir(dirname(target), { recursive: true });
        await rename(temporary, target);
        for (let folder = dirname(target); folder.length >= root.length; folder = dirname(folder)) await flush(folder);
      } catch (error) {
        await rm(temporary, { force: true });
        throw unavailable(error);
      }
    },
    getFile: async (key, path, signal) => {
      signal?.throwIfAborted();
      await copyFile(pathOf(key), path, constants.COPYFILE_FICLONE).catch((error: unknown) => {
        throw isMissing(error) ? new ObjectNotFound(key) : unavailable(error);
      });
    },
    list: (prefix) => listFiles(root, prefix),
    remove: async (keys) => {
      for (const key of keys) {
        await rm(pathOf(key), { force: true });
        await rmdir(dirname(pathOf(key))).catch(() => undefined);
      }
    },
    url: (key) => `${publicUrl}/${key}`,
    check: async () => {
      const probe = join(incoming, `${hostname()}.${process.pid}.check`);
      await (
        await open(probe, 'w').catch((error: unknown) => {
          throw unavailable(error);
        })
      ).close();
      await rm(probe, { force: true });
    },
  };
}

/** Content-addressed: the file's name is the hash of its bytes. */
export function etagOf(key: string): string {
  return `"${basename(key).replace(/\.[^.]*$/, '')}"`;
}

async function* listFiles(root: string, prefix: string): AsyncIterable<string> {
  const segments = prefix.split('/');
  const beginning = segments.pop() ?? '';
  if (segments.some((segment) => !isKey(segment))) return;
  const entries = await readdir(join(root, ...segments), { withFileTypes: true }).catch(undefinedIfMissing);
  for (const entry of entries ?? []) {
    const key = [...segments, entry.name].join('/');
    if (!entry.name.startsWith(beginning) || !isKey(key)) continue;
    if (entry.isDirectory()) yield* listFiles(root, `${key}/`);
    else yield key;
  }
}

/** Under a second name where the file system can: a copy would write its bytes, and take their room, twice. */
async function keepAs(temporary: string, path: string): Promise<void> {
  try {
    await link(path, temporary);
    // Its age is what tells one that was abandoned.
    const now = new Date();
    await utimes(temporary, now, now);
  } catch {
    await rm(temporary, { force: true });
    await copyFile(path, temporary, constants.COPYFILE_FICLONE);
  }
}

/** Forces a file, or a folder's list of names, onto the disk. */
async function flush(path: string): Promise<void> {
  await using file = await open(path, 'r');
  await file.sync();
}

/** Removes what processes that are gone left half-copied. */
async function sweep(incoming: string): Promise<void> {
  for (const name of await readdir(incoming)) {
    const path = join(incoming, name);
    const [host, pid] = [name.split('.').slice(0, -2).join('.'), Number(name.split('.').at(-2))];
    const found = await stat(path).catch(undefinedIfMissing);
    if (found === undefined) continue;
    const ownerGone = host === hostname() && pid !== process.pid && !isAlive(pid);
    if (ownerGone || Date.now() - found.mtimeMs > ABANDONED_MS) await rm(path, { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function isMissing(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '');
}

function undefinedIfMissing(error: unknown): undefined {
  if (!isMissing(error)) throw unavailable(error);
}

function unavailable(error: unknown): unknown {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === undefined || code === 'ABORT_ERR') return error;
  return new ObjectStoreUnavailable(`the object folder cannot be used (${code})`, { cause: error });
}
