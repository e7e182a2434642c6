import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { newPeople } from '../tests/support/systemClient.ts';
import { asUuid } from '../tests/support/ids.ts';
import type { Benchmark, Comparison } from './benchmark.ts';
import { load } from './load.ts';
import { appendBeside, benchFolder, caughtUp, npmStart, verifyTables, type Started } from './started.ts';

/** Before the load. There is a video for 200 events. */
const EVENTS_BEFORE = 100_000;
const EVENTS = Number(process.env['MEMORY_EVENTS'] ?? 2_000_000);
const LOAD_SECONDS = 20;
const CONNECTIONS = 32;
const RESTS_AFTER_MS = 5_000;
const MB = 1_000_000;
const PROMISED_MB = { rest: 180, load: 300, catchUp: 300 };

/**
 * Resident memory of our process, without PostgreSQL: at rest after a start, after a load of reads and likes, and the most while it
 * catches up with events that others appended (`MEMORY_EVENTS`). Then the tables are compared with the log. Linux only.
 */
export const memory: Benchmark = {
  name: 'memory',
  async run() {
    await using folder = await benchFolder();
    const first = await npmStart(folder);
    let afterLoad: number;
    try {
      await appendBeside(folder, EVENTS_BEFORE);
      await caughtUp(first);
    } finally {
      await first.stop();
    }
    const started = await npmStart(folder);
    let [atRest, peak] = [0, 0];
    try {
      await delay(RESTS_AFTER_MS);
      atRest = residentBytes(started);
      await readAndLike(started);
      afterLoad = residentBytes(started);
    } finally {
      await started.stop();
    }
    await verifyTables(folder, ['likes', 'analytics']);
    await using other = await benchFolder();
    const catching = await npmStart(other);
    const sampling = setInterval(() => (peak = Math.max(peak, residentBytes(catching))), 100);
    try {
      await appendBeside(other, EVENTS);
      await caughtUp(catching);
    } finally {
      clearInterval(sampling);
      await catching.stop();
    }
    await verifyTables(other, ['analytics']);
    return [
      promised('at rest', atRest, PROMISED_MB.rest),
      promised(`after ${LOAD_SECONDS} s of reads and likes`, afterLoad, PROMISED_MB.load),
      promised(`while it catches up with ${EVENTS} events`, peak, PROMISED_MB.catchUp),
    ];
  },
};

function promised(when: string, bytes: number, theirs: number): Comparison {
  return { what: `resident memory ${when}`, peer: 'what we promise', ours: bytes / MB, theirs, unit: 'MB', atMost: 1 };
}

async function readAndLike(started: Started): Promise<void> {
  const people = await newPeople(10, () => started.url);
  const videos = EVENTS_BEFORE / 200;
  // Of these, none was deleted.
  const anyVideo = (): string => asUuid('video', 20 * Math.floor((Math.random() * videos) / 20) + 1);
  let turn = 0;
  await load(started, {
    connections: CONNECTIONS,
    seconds: LOAD_SECONDS,
    next(connection) {
      const headers = { authorization: `Bearer ${people[connection % people.length]!.token}` };
      switch (turn++ % 4) {
        case 0:
          return { path: '/api/v1/video?page=1&limit=10' };
        case 1:
          return { path: `/api/v1/video/${anyVideo()}` };
        case 2:
          return { path: `/api/v1/video/${anyVideo()}`, headers };
        default:
          return { method: 'POST', path: `/api/v1/video/${anyVideo()}`, headers };
      }
    },
  });
}

function residentBytes({ pid }: Started): number {
  const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))!;
  return Number(kib) * 1024;
}
