import { createHash, type Hash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { Transform, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { UploadLimits } from '../limits.ts';
import { ensureRoom, type FreeSpace } from '../scratch/diskSpace.ts';
import { pieceHasArrived } from './collectPieces.ts';
import { tooLarge } from './refusals.ts';

export interface ReceivedFile {
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** Hex. */
  readonly sha256: string;
}

export interface WriteFileOptions {
  readonly folder: string;
  readonly limits: UploadLimits;
  /** Bytes of the whole request as its headers say; NaN when they do not. */
  readonly announced: number;
  /** Is told the share that has arrived, once for each percent. Never called when `announced` is NaN. */
  readonly onReceived: ((fraction: number) => void) | undefined;
  readonly freeSpace: FreeSpace | undefined;
}

/** Bytes between two checks of the free space, which other processes use as well. */
const CHECK_EVERY = 8 * 1024 * 1024;

/** Writes a stream to a file, and counts and hashes its bytes. @throws DomainError `tooLarge`; DiskFull */
export async function writeFile(stream: Readable, options: WriteFileOptions): Promise<ReceivedFile> {
  const path = join(options.folder, 'original.mp4');
  const meter = createMeter(options);
  await pipeline(stream, meter.through, createWriteStream(path, { mode: 0o600 }));
  return { path, size: meter.size(), sha256: meter.hash.digest('hex') };
}

function createMeter({ folder, limits, announced, onReceived, freeSpace }: WriteFileOptions): {
  through: Transform;
  hash: Hash;
  size: () => number;
} {
  const hash = createHash('sha256');
  let size = 0;
  let reported = 0;
  let nextCheck = CHECK_EVERY;
  const through = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      size += chunk.length;
      if (size > limits.maxBytes) return done(tooLarge(limits));
      pieceHasArrived(chunk);
      hash.update(chunk);
      const percent = Math.min(100, Math.floor((size / announced) * 100));
      if (percent > reported) onReceived?.((reported = percent) / 100);
      if (size < nextCheck) return done(null, chunk);
      nextCheck += CHECK_EVERY;
      ensureRoom(folder, 0, freeSpace).then(() => done(null, chunk), done);
    },
  });
  return { through, hash, size: () => size };
}
