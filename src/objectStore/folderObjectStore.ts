import {
  constants,
  copyFile,
  link,
  mkdir,
  open,
  readdir,
  rename,
  rm,
  rmdir,
  stat,
  utimes,
  type FileHandle,
} from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { isAlive } from '../core/isAlive.ts';
import { assertKey, isKey, PRIVATE_PREFIX } from './keys.ts';
import { ObjectNotFound, ObjectStoreUnavailable, type ObjectStore } from './objectStore.ts';
import type { SignedPaths } from './signedPaths.ts';

export interface FolderObjectStoreOptions {
  /** Absolute. Created when it does not exist. */
  readonly root: string;
  /** The URL of an object is this, a slash and its key. For example `http://localhost:3000/media`. */
  readonly publicUrl: string;
  readonly signed: Pick<SignedPaths, 'sign'>;
}

/** Where the objects of the embedded profile lie. */
export const objectFolder = (dataDir: string): string => join(dataDir, 'objects');

/** The folder of incomplete files. No key begins like this. */
const INCOMING = '.incoming';
/** No copy takes longer. */
const ABANDONED_MS = 60 * 60_000;

/**
 * Objects as files. An object is complete or does not exist, also after a power failure, because its bytes are on the disk before
 * its name is.
 */
export async function createFolderObjectStore({
  root,
  publicUrl,
  signed,
}: FolderObjectStoreOptions): Promise<ObjectStore> {
  const incoming = join(root, INCOMING);
  await mkdir(incoming, { recursive: true, mode: 0o700 });
  await removeAbandoned(incoming);

  const pathOf = (key: string): string => {
    assertKey(key);
    return join(root, ...key.split('/'));
  };

  const putFile: ObjectStore['putFile'] = async (key, path, _contentType, signal) => {
    const target = pathOf(key);
    signal?.throwIfAborted();
    if ((await stat(target).catch(undefinedIfMissing))?.isFile()) return;
    const temporary = join(incoming, `${hostname()}.${process.pid}.${randomUUID()}`);
    try {
      await linkOrCopy(temporary, path);
      await flush(temporary);
      signal?.throwIfAborted();
      await moveInto(temporary, target);
      await Promise.all(foldersBetween(root, dirname(target)).map(flush));
    } catch (error) {
      await rm(temporary, { force: true });
      await removeEmpty(root, dirname(target));
      throw unavailable(error);
    }
  };

  return {
    putFile,
    copy: async (from, to) => {
      const source = pathOf(from);
      if (!(await stat(source).catch(undefinedIfMissing))?.isFile()) throw new ObjectNotFound(from);
      await putFile(to, source, '');
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
        await removeEmpty(root, dirname(pathOf(key)));
      }
    },
    url: (key) => `${publicUrl}/${key.startsWith(PRIVATE_PREFIX) ? signed.sign(key) : key}`,
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

/** Undefined when there is no such object. The file stays readable when the object is removed meanwhile. */
export async function openObject(root: string, key: string): Promise<FileHandle | undefined> {
  assertKey(key);
  return open(join(root, ...key.split('/'))).catch(undefinedIfMissing);
}

/** The name of the file, or of its folder below the video's, has the hash of the bytes. */
export function etagOf(key: string): string {
  const [, , ...name] = key.split('/');
  return `"${name.join('-').replace(/\.[^.]*$/, '')}"`;
}

/** Keys of the objects in a folder that begin with `prefix`. */
export async function* listFiles(root: string, prefix: string): AsyncIterable<string> {
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

/** Creates a hard link where the file system can, since a copy would need the time and the space twice. */
async function linkOrCopy(temporary: string, path: string): Promise<void> {
  try {
    await link(path, temporary);
    // `removeAbandoned` looks at its age.
    const now = new Date();
    await utimes(temporary, now, now);
  } catch {
    await rm(temporary, { force: true });
    await copyFile(path, temporary, constants.COPYFILE_FICLONE);
  }
}

/** How often a folder that is removed before it has its file is made again. */
const MOST_TRIES = 100;

/** Creates the folder of a file and renames the file into it, while others may remove that folder because it is empty. */
async function moveInto(from: string, to: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await mkdir(dirname(to), { recursive: true });
      return await rename(from, to);
    } catch (error) {
      if (!isMissing(error) || tries === MOST_TRIES) throw error;
    }
  }
}

/**
 * Removes a folder, and those above it that have nothing else. What is directly in `root` stays. A folder that somebody else has
 * removed counts as removed: that process may have been killed before it removed those above.
 */
async function removeEmpty(root: string, folder: string): Promise<void> {
  for (const each of foldersBetween(root, folder).slice(0, -2)) {
    try {
      await rmdir(each);
    } catch (error) {
      if (!isMissing(error)) return;
    }
  }
}

/** A folder and those above it, up to `root`. */
function foldersBetween(root: string, folder: string): string[] {
  return folder.length > root.length ? [folder, ...foldersBetween(root, dirname(folder))] : [root];
}

/** Writes a file, or the names in a folder, to the disk. */
async function flush(path: string): Promise<void> {
  await using file = await open(path, 'r');
  await file.sync();
}

/** Removes incomplete files of processes that have ended. */
async function removeAbandoned(incoming: string): Promise<void> {
  for (const name of await readdir(incoming)) {
    const path = join(incoming, name);
    const [host, pid] = [name.split('.').slice(0, -2).join('.'), Number(name.split('.').at(-2))];
    const found = await stat(path).catch(undefinedIfMissing);
    if (found === undefined) continue;
    const ownerEnded = host === hostname() && pid !== process.pid && !isAlive(pid);
    if (ownerEnded || Date.now() - found.mtimeMs > ABANDONED_MS) await rm(path, { force: true });
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
