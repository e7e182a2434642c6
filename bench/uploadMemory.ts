import { readFileSync, statSync } from 'node:fs';
import { startSystem } from '../tests/support/system.ts';
import { newPeople, upload } from '../tests/support/systemClient.ts';
import { Clips } from '../tests/support/systemClips.ts';
import type { Benchmark } from './benchmark.ts';

const UPLOADS = 4;
const MB = 1_000_000;
const PROMISED_BYTES = 100 * MB;

/** Resident memory of the embedded process while four files of almost 50 MB arrive at once. Linux only. */
export const uploadMemory: Benchmark = {
  name: 'uploadMemory',
  async run() {
    const { size, before, peak } = await grow();
    return [
      {
        what: `memory grows by, ${UPLOADS} × ${Math.round(size / MB)} MB arriving at once`,
        peer: 'what we promise',
        ours: (peak - before) / MB,
        theirs: PROMISED_BYTES / MB,
        unit: 'MB',
        atMost: 1,
      },
    ];
  },
};

async function grow(): Promise<{ size: number; before: number; peak: number }> {
  await using clips = new Clips();
  const clip = await clips.make({ duration: 30, width: 1920, height: 1080 });
  await using system = await startSystem({ environment: { LOG_LEVEL: 'warn' } });
  const [server] = system.processes;
  const people = await newPeople(UPLOADS, system.api);
  // What the first request of its kind loads once is no growth of the uploads.
  const small = await clips.make({ duration: 1, width: 320, height: 240 });
  await upload(server!.url, people[0]!.token, small);

  const before = residentBytes(server!.pid!);
  let peak = before;
  const sampling = setInterval(() => {
    peak = Math.max(peak, residentBytes(server!.pid!));
  }, 20);
  try {
    const answers = await Promise.all(people.map(({ token }) => upload(server!.url, token, clip, { headers: { prefer: 'respond-async' } })));
    for (const { status, text } of answers) if (status !== 202 && status !== 201) throw new Error(`an upload answered ${status}: ${text}`);
  } finally {
    clearInterval(sampling);
  }
  return { size: statSync(clip).size, before, peak };
}

function residentBytes(pid: number): number {
  const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))!;
  return Number(kib) * 1024;
}
