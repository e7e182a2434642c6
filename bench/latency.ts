import { setTimeout as delay } from 'node:timers/promises';
import { profile, startSystem } from '../tests/support/system.ts';
import { newPeople, toggleLike, uploaded } from '../tests/support/systemClient.ts';
import { clip } from '../tests/support/clips.ts';
import { percentile, type Benchmark } from './benchmark.ts';

const PEOPLE = 32;
const VIDEOS = 20;

/** The embedded way, and the way through Kafka, on one machine: up to so many likes a second. Beyond it the figures are for information. */
const PROMISED = { embedded: { ms: 50, rate: 100 }, cluster: { ms: 150, rate: 500 } };

/**
 * From command to read model: the answer to a like carries a count read from the read model after the like is in it, so
 * the time until that answer is the time until any query sees the like, and HTTP on top. `SYSTEM_PROFILE=cluster` measures
 * the way through Kafka, with one process a role.
 */
export const latency: Benchmark = {
  name: 'latency',
  async run() {
    const promised = PROMISED[profile];
    const promise = { unit: 'ms', peer: 'what we promise', theirs: promised.ms };
    return (await measure([100, 500], 10)).flatMap(({ rate, times, behind }) => [
      { what: `a like until it is read, median at ${rate}/s (${profile})`, ours: percentile(times, 0.5), ...promise },
      {
        what: `a like until it is read, p99 at ${rate}/s (${profile})`,
        ours: percentile(times, 0.99),
        ...promise,
        ...(rate <= promised.rate && { atMost: 1 }),
      },
      {
        what: `likes answered behind at ${rate}/s (${profile})`,
        ours: behind,
        theirs: times.length,
        unit: 'of',
        peer: 'likes sent',
        atMost: 0,
      },
    ]);
  },
};

interface Measured {
  /** Commands a second, sent whether or not earlier ones were answered. */
  readonly rate: number;
  /** Milliseconds from the moment each command was due to the answer that counts it. */
  readonly times: readonly number[];
  /** Answers whose read model had not caught up within two seconds. */
  readonly behind: number;
}

async function measure(rates: readonly number[], seconds: number): Promise<Measured[]> {
  await using system = await startSystem({ environment: { LOG_LEVEL: 'warn' }, ofEach: 1 });
  const people = await newPeople(PEOPLE, system.api);
  const videoIds: string[] = [];
  for (let index = 0; index < VIDEOS; index += 1)
    videoIds.push((await uploaded(system.api(), people[0]!.token, await clip('plain'))).id);

  let sent = 0;
  /** Goes through all pairs before it comes to one again, so that no two toggles of one pair are under way. */
  const toggle = async (due: number): Promise<{ ms: number; behind: boolean }> => {
    const pair = sent++ % (PEOPLE * VIDEOS);
    const answer = await toggleLike(system.api(), videoIds[pair % VIDEOS]!, people[Math.floor(pair / VIDEOS)]!.token);
    if (answer.status !== 200) throw new Error(`a like answered ${answer.status}: ${answer.text}`);
    return { ms: performance.now() - due, behind: answer.headers.has('x-projection-behind') };
  };

  const results: Measured[] = [];
  for (const rate of rates) {
    await openLoop(rate, 2, toggle); // warm
    const answers = await openLoop(rate, seconds, toggle);
    results.push({ rate, times: answers.map(({ ms }) => ms), behind: answers.filter(({ behind }) => behind).length });
  }
  return results;
}

/** Sends at a steady rate. A slow answer does not slow the sender down, so it cannot hide the wait of those behind it. */
async function openLoop<T>(rate: number, seconds: number, send: (due: number) => Promise<T>): Promise<T[]> {
  const answers: Promise<T>[] = [];
  const begun = performance.now();
  while (answers.length < rate * seconds) {
    const due = begun + (answers.length / rate) * 1000;
    const wait = due - performance.now();
    if (wait > 1) await delay(wait);
    answers.push(send(due));
  }
  return Promise.all(answers);
}
