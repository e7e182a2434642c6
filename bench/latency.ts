import { setTimeout as delay } from 'node:timers/promises';
import { profile, startSystem } from '../tests/support/system.ts';
import { newPeople, toggleLike, uploaded } from '../tests/support/systemClient.ts';
import { clip } from '../tests/support/clips.ts';
import { percentile, type Benchmark } from './benchmark.ts';

const PEOPLE = 32;
const VIDEOS = 20;

/** The promised p99 on one machine, up to so many likes per second. At higher rates the figures are for information. */
const PROMISED = { embedded: { ms: 50, rate: 100 }, cluster: { ms: 150, rate: 500 } };

/**
 * The time from a command to its read model. The answer to a like contains a count that is read from the read model after the like
 * is in it. The time until that answer is therefore the time until any query sees the like, plus HTTP. `SYSTEM_PROFILE=cluster`
 * measures the path through Kafka, with one process per role.
 */
export const latency: Benchmark = {
  name: 'latency',
  async run() {
    const promised = PROMISED[profile];
    const promise = { unit: 'ms', peer: 'what we promise', theirs: promised.ms };
    return (await measure([100, 500], 10)).flatMap(({ rate, times, behind }) => [
      { what: `time until a like is read, median at ${rate}/s (${profile})`, ours: percentile(times, 0.5), ...promise },
      {
        what: `time until a like is read, p99 at ${rate}/s (${profile})`,
        ours: percentile(times, 0.99),
        ...promise,
        ...(rate <= promised.rate && { atMost: 1 }),
      },
      {
        what: `likes answered before the read model has them at ${rate}/s (${profile})`,
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
  /** Commands per second. They are sent even when earlier ones are not answered yet. */
  readonly rate: number;
  /** Milliseconds from the time at which each command was due to its answer. */
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
  /** Takes all pairs of person and video in turn, so that one pair is not toggled twice at the same time. */
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

/** Sends at a steady rate, independent of the answers. A slow answer therefore cannot hide how long later commands wait. */
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
