import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';

/** Bytes that are read at a time, always into the same memory: a stream would leave a new buffer behind for each read. */
const CHUNK = 256 * 1024;

export interface HashedFile {
  /** SHA-256, hex. */
  readonly sha256: string;
  /** Bytes. */
  readonly size: number;
}

/** Reads a whole file. @throws the signal's reason */
export async function hashFile(path: string, signal?: AbortSignal): Promise<HashedFile> {
  await using file = await open(path, 'r');
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafeSlow(CHUNK);
  for (let size = 0; ;) {
    signal?.throwIfAborted();
    const { bytesRead } = await file.read(buffer, 0, CHUNK, size);
    if (bytesRead === 0) return { sha256: hash.digest('hex'), size };
    hash.update(buffer.subarray(0, bytesRead));
    size += bytesRead;
  }
}
