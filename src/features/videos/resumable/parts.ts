import { createHash, type Hash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { open, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Transform } from 'node:stream';
import { v7 } from 'uuid';
import { pieceHasArrived } from '../../../media/receiving/collectPieces.ts';
import type { ReceivedFile } from '../../../media/receiving/writeFile.ts';
import { ensureRoom, type FreeSpace } from '../../../media/scratch/diskSpace.ts';
import type { ObjectStore } from '../../../objectStore/objectStore.ts';
import { compareDigests, type Checksum } from './checksum.ts';
import { uploadLocked, type UploadRow, type Uploads } from './uploads.ts';

/** What an unfinished upload has received is kept under this prefix, where every API process reaches it. */
export const UPLOADS_PREFIX = 'uploads/';

/** Bytes. So much at most is sent again after a process was killed. */
const PART_SIZE = 4 * 1024 * 1024;

export interface PartWriterOptions {
  readonly uploads: Pick<Uploads, 'addPart'>;
  readonly objects: Pick<ObjectStore, 'putFile' | 'remove'>;
  /** A folder on this machine. */
  readonly folder: string;
  readonly id: string;
  /** Who holds the upload's lock. */
  readonly holder: string;
  readonly offset: number;
  readonly checksum: Checksum | undefined;
  readonly freeSpace?: FreeSpace | undefined;
}

/**
 * Stores the bytes of one request as objects, each recorded as soon as it is stored. When the request ends too early,
 * what has arrived is kept; but with a checksum all of it is one object, which is stored only if the checksum is right.
 * @throws DomainError `checksum_mismatch`, `upload_locked` (others have taken over the upload); ObjectStoreUnavailable; DiskFull
 * @returns the new offset
 */
export async function writeParts(bytes: AsyncIterable<Buffer>, options: PartWriterOptions): Promise<number> {
  const { folder, checksum, freeSpace } = options;
  const hash = checksum && createHash(checksum.algorithm);
  const longest = checksum === undefined ? PART_SIZE : Infinity;
  let { offset } = options;
  let part: OpenPart | undefined;

  const store = async (): Promise<void> => {
    if (part === undefined) return;
    const stored = part;
    part = undefined;
    await stored.file.close();
    offset = await storePart(stored, offset, options);
  };
  const discard = async (): Promise<void> => {
    await part?.file.close();
    await rm(part?.path ?? '', { force: true });
    part = undefined;
  };

  try {
    for await (const chunk of bytes) {
      if (part === undefined) {
        await ensureRoom(folder, chunk.length, freeSpace);
        part = await openPart(folder);
      }
      await part.file.appendFile(chunk);
      part.size += chunk.length;
      pieceHasArrived(chunk);
      hash?.update(chunk);
      if (part.size >= longest) await store();
    }
  } catch (error) {
    // The connection ended, or the limit was passed: what has arrived before is good. A write may have failed halfway.
    if (checksum === undefined) {
      await part?.file
        .truncate(part.size)
        .then(store)
        .catch(() => undefined);
    }
    await discard();
    throw error;
  }
  try {
    if (checksum !== undefined && hash !== undefined) compareDigests(checksum, hash.digest());
    await store();
  } finally {
    await discard();
  }
  return offset;
}

interface OpenPart {
  readonly path: string;
  readonly file: FileHandle;
  size: number;
}

async function openPart(folder: string): Promise<OpenPart> {
  const path = join(folder, v7());
  return { path, file: await open(path, 'wx', 0o600), size: 0 };
}

async function storePart(
  { path, size }: OpenPart,
  offset: number,
  { uploads, objects, id, holder }: PartWriterOptions,
): Promise<number> {
  const key = `${UPLOADS_PREFIX}${id}/${String(offset).padStart(9, '0')}-${v7()}`;
  try {
    await objects.putFile(key, path, 'application/octet-stream');
    if (await uploads.addPart(id, holder, { offset, size, key })) return offset + size;
    await objects.remove([key]);
    throw uploadLocked();
  } finally {
    await rm(path, { force: true });
  }
}

/** Puts a complete upload together in `folder`. @throws ObjectNotFound, ObjectStoreUnavailable, DiskFull */
export async function joinParts(
  objects: Pick<ObjectStore, 'getFile'>,
  { parts, length }: UploadRow,
  folder: string,
): Promise<ReceivedFile> {
  await ensureRoom(folder, length);
  const path = join(folder, 'original.mp4');
  const hash = createHash('sha256');
  let size = 0;
  for (const key of parts) {
    const part = join(folder, 'part');
    await objects.getFile(key, part);
    const meter = hashing(hash, (bytes) => (size += bytes));
    await pipeline(createReadStream(part), meter, createWriteStream(path, { flags: 'a', mode: 0o600 }));
    await rm(part);
  }
  if (size !== length) throw new Error(`the parts of an upload of ${length} bytes have ${size}`);
  return { path, size, sha256: hash.digest('hex') };
}

function hashing(hash: Hash, count: (bytes: number) => void): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      count(chunk.length);
      done(null, chunk);
    },
  });
}

/** Removes all that is stored of an upload. It is safe to repeat. */
export async function removeParts(objects: Pick<ObjectStore, 'list' | 'remove'>, id: string): Promise<void> {
  const keys: string[] = [];
  for await (const key of objects.list(`${UPLOADS_PREFIX}${id}/`)) keys.push(key);
  await objects.remove(keys);
}
