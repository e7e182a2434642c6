import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clip } from '../../support/clips.ts';

/** A movie whose second half cannot be decoded: an upload accepts it, and processing does not. */
export async function damagedClip(): Promise<string> {
  const bytes = await readFile(await clip('portrait'));
  bytes.fill(0x55, Math.floor(bytes.length / 3), Math.floor(bytes.length / 2));
  const path = join(tmpdir(), `reelstream-damaged-${process.pid}.mp4`);
  await writeFile(path, bytes);
  return path;
}
