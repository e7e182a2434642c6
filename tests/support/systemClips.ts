import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface Clip {
  /** Seconds. */
  readonly duration: number;
  readonly width: number;
  readonly height: number;
}

/** Makes real mp4 files in a folder of its own. Dispose it. */
export class Clips implements AsyncDisposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'reelstream-clips-'));
  #made = 0;

  /** Answers the file's path. Takes much less than its duration: it repeats two seconds. */
  async make({ duration, width, height }: Clip): Promise<string> {
    const unit = this.#next();
    const shown = Math.min(duration, 2);
    await ffmpeg(
      ...['-f', 'lavfi', '-i', `testsrc2=size=${width}x${height}:rate=25:duration=${shown}`],
      ...['-f', 'lavfi', '-i', `sine=frequency=440:duration=${shown}`],
      ...['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-c:a', 'aac', unit],
    );
    if (duration <= 2) return unit;
    const path = this.#next();
    await ffmpeg('-stream_loop', '-1', '-i', unit, '-t', String(duration), '-c', 'copy', path);
    return path;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }

  #next(): string {
    return join(this.#folder, `clip-${this.#made++}.mp4`);
  }
}

async function ffmpeg(...options: string[]): Promise<void> {
  const { path } = createRequire(import.meta.url)('@ffmpeg-installer/ffmpeg') as { path: string };
  await run(path, ['-hide_banner', '-loglevel', 'error', '-y', ...options]);
}
