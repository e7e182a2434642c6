import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startSystem } from '../tests/support/system.ts';
import { newPeople, upload } from '../tests/support/systemClient.ts';
import { clip } from '../tests/support/clips.ts';
import type { Benchmark } from './benchmark.ts';

const UPLOADS = 8;
const MB = 1_000_000;
const SIZE = 50 * MB;
const PROMISED_BYTES = 64 * MB;

/** Growth of the resident memory of the embedded process while eight files of almost 50 MB arrive at the same time. Linux only. */
export const uploadMemory: Benchmark = {
  name: 'uploadMemory',
  async run() {
    const { before, peak } = await grow();
    return [
      {
        what: `memory growth while ${UPLOADS} × ${SIZE / MB} MB arrive at once`,
        peer: 'what we promise',
        ours: (peak - before) / MB,
        theirs: PROMISED_BYTES / MB,
        unit: 'MB',
        atMost: 1,
      },
    ];
  },
};

async function grow(): Promise<{ before: number; peak: number }> {
  await using big = await paddedClip(SIZE);
  await using system = await startSystem({ environment: { LOG_LEVEL: 'warn' } });
  const [server] = system.processes;
  const people = await newPeople(UPLOADS, system.api);
  // The first upload loads code, which must not count as growth.
  await upload(server!.url, people[0]!.token, await clip('plain'));

  const before = residentBytes(server!.pid!);
  let peak = before;
  const sampling = setInterval(() => {
    peak = Math.max(peak, residentBytes(server!.pid!));
  }, 20);
  try {
    const answers = await Promise.all(
      people.map(({ token }) => upload(server!.url, token, big.path, { headers: { prefer: 'respond-async' } })),
    );
    for (const { status, text } of answers)
      if (status !== 202 && status !== 201) throw new Error(`an upload answered ${status}: ${text}`);
  } finally {
    clearInterval(sampling);
  }
  return { before, peak };
}

/** A real mp4 of that many bytes. It is padded with a box that players skip (ISO/IEC 14496-12, 8.1.2), so it is large to receive and easy to process. */
async function paddedClip(bytes: number): Promise<{ readonly path: string } & AsyncDisposable> {
  const content = await readFile(await clip('plain'));
  const padding = Buffer.alloc(bytes - content.length);
  padding.writeUInt32BE(padding.length, 0);
  padding.write('free', 4);
  const path = join(tmpdir(), `reelstream-bench-${randomUUID()}.mp4`);
  await writeFile(path, Buffer.concat([content, padding]));
  return { path, [Symbol.asyncDispose]: () => rm(path) };
}

function residentBytes(pid: number): number {
  const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))!;
  return Number(kib) * 1024;
}
