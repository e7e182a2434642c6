import { mkdtemp, open, rm } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { profile, startSystem, type System } from '../tests/support/system.ts';
import { getVideo, newPeople, uploaded, type Person } from '../tests/support/systemClient.ts';
import { clip } from '../tests/support/clips.ts';
import { untilAllIsMade } from './allIsMade.ts';
import { percentile, type Benchmark } from './benchmark.ts';

const PEOPLE = 32;
const VIDEOS = 20;
const SECONDS = 8;
/** More than are ever in use at a time. */
const CONNECTIONS = 256;

/** The promised p99 in milliseconds, by likes per second, on two cores that also send the likes. */
const PROMISED = {
  embedded: new Map([
    [100, 10],
    [500, 25],
    [1_000, 50],
  ]),
  cluster: new Map([[500, 80]]),
};

/**
 * The time from a command to its read model, at a steady rate of commands. The answer to a like contains a count that is read from the
 * read model after the like is in it. The time until that answer is therefore the time until any query sees the like, plus HTTP.
 * `SYSTEM_PROFILE=cluster` measures the path through Kafka, with one process per role. At the end every count must be exact.
 *
 * Each answer waits for the disk once. The same disk alone is measured before, for comparison.
 */
export const latency: Benchmark = {
  name: 'latency',
  async run() {
    const promised = PROMISED[profile];
    const disk = { unit: 'ms', peer: 'one fsync, p99', theirs: percentile(await syncTimes(), 0.99) };
    return (await measure([...promised.keys()], SECONDS)).flatMap(({ rate, times, behind }) => {
      const promise = { unit: 'ms', peer: 'what we promise', theirs: promised.get(rate)! };
      return [
        {
          what: `time until a like is read, median at ${rate}/s (${profile})`,
          ours: percentile(times, 0.5),
          ...promise,
        },
        {
          what: `time until a like is read, p99 at ${rate}/s (${profile})`,
          ours: percentile(times, 0.99),
          ...promise,
          atMost: 1,
        },
        { what: 'the same, beside the disk alone', ours: percentile(times, 0.99), ...disk },
        {
          what: `likes answered before the read model has them at ${rate}/s (${profile})`,
          ours: behind,
          theirs: times.length,
          unit: 'of',
          peer: 'likes sent',
          atMost: 0,
        },
      ];
    });
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

  await untilAllIsMade(system.api(), videoIds);

  let sent = 0;
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  /** Takes all pairs of person and video in turn, so that one pair is not toggled twice at the same time. */
  const toggle = async (due: number): Promise<{ ms: number; behind: boolean }> => {
    const pair = sent++ % (PEOPLE * VIDEOS);
    const behind = await toggleLike(system, agent, videoIds[pair % VIDEOS]!, people[Math.floor(pair / VIDEOS)]!);
    return { ms: performance.now() - due, behind };
  };

  // Until the server's code is compiled.
  await openLoop(500, 3, toggle);
  const results: Measured[] = [];
  for (const rate of rates) {
    await openLoop(rate, 1, toggle);
    const answers = await openLoop(rate, seconds, toggle);
    results.push({ rate, times: answers.map(({ ms }) => ms), behind: answers.filter(({ behind }) => behind).length });
  }
  agent.destroy();
  await checkCounts(system, videoIds, sent);
  return results;
}

/**
 * Answers whether the read model was behind. The sender shares the machine with the server: this client costs less than `fetch`,
 * and does not look at the body of an answer.
 */
async function toggleLike(system: System, agent: Agent, videoId: string, { token }: Person): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  request(`${system.api()}/api/v1/video/${videoId}`, {
    agent,
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
  })
    .on('error', reject)
    .on('response', (answer) => {
      const { statusCode, headers } = answer;
      if (statusCode === 200) answer.resume().on('end', () => resolve(headers['x-projection-behind'] !== undefined));
      else text(answer).then((body) => reject(new Error(`a like answered ${statusCode}: ${body}`)), reject);
    })
    .end();
  return promise;
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

/** Milliseconds that it takes to write 8 kB to the disk, as PostgreSQL does for each commit, 200 times with pauses. */
async function syncTimes(): Promise<number[]> {
  const folder = await mkdtemp(join(tmpdir(), 'reelstream-bench-'));
  try {
    await using file = await open(join(folder, 'synced'), 'w');
    const times: number[] = [];
    for (let index = 0; index < 200; index++) {
      const begun = performance.now();
      await file.write(Buffer.alloc(8_192, 1), 0, 8_192, index * 8_192);
      await file.datasync();
      times.push(performance.now() - begun);
      await delay(5);
    }
    return times;
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Pairs were toggled in turn: each as often as the others, or once more. */
async function checkCounts(system: System, videoIds: readonly string[], sent: number): Promise<void> {
  for (const [index, id] of videoIds.entries()) {
    let likers = 0;
    for (let pair = index; pair < PEOPLE * VIDEOS; pair += VIDEOS)
      likers += Math.ceil((sent - pair) / (PEOPLE * VIDEOS)) % 2;
    const { likeCount } = (await getVideo(system.api(), id)).data.video;
    if (likeCount !== likers) throw new Error(`video ${id} has ${likers} likers and counts ${likeCount}`);
  }
}
