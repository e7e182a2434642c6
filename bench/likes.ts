import autocannon from 'autocannon';
import { clip } from '../tests/support/clips.ts';
import { startSystem, type System } from '../tests/support/system.ts';
import { getVideo, newPeople, uploaded, type Person } from '../tests/support/systemClient.ts';
import { inTurns, type Benchmark } from './benchmark.ts';

const CONNECTIONS = 32;
const VIDEOS = 20;
const TOGGLES = 6_000;
const ROUNDS = 5;

/**
 * Like toggles over HTTP, on one hot video compared with random videos. Each is answered after its read model counts it. At the end
 * every count must be exact.
 */
export const likes: Benchmark = {
  name: 'likes',
  async run() {
    await using system = await startSystem({ environment: { LOG_LEVEL: 'warn' } });
    const people = await newPeople(CONNECTIONS, system.api);
    const videos: string[] = [];
    for (let index = 0; index <= VIDEOS; index++)
      videos.push((await uploaded(system.api(), people[0]!.token, await clip('plain'))).id);
    const [hot, ...cold] = videos as [string, ...string[]];
    const liked = new Set<string>();
    const onHot = (amount = TOGGLES): Promise<number> => toggles(system, people, () => hot, liked, amount);
    const onRandom = (amount = TOGGLES): Promise<number> =>
      toggles(system, people, () => cold[Math.floor(Math.random() * VIDEOS)]!, liked, amount);

    await onRandom(2_000); // warm
    await onHot(2_000);
    const compared = await inTurns(ROUNDS, onHot, onRandom);
    await checkCounts(system, videos, liked);
    return [
      {
        what: `like toggles on one hot video, ${CONNECTIONS} connections`,
        peer: 'on random videos',
        ...compared,
        unit: '/s',
        atLeast: 1 / 1.5,
        atMost: 1.5,
      },
    ];
  },
};

/** Sends `amount` toggles, each connection as a different person, and returns the rate per second. Updates `liked`: who likes what. */
async function toggles(
  system: System,
  people: readonly Person[],
  choose: () => string,
  liked: Set<string>,
  amount: number,
): Promise<number> {
  const start = performance.now();
  let last = start;
  let next = 0;
  const failures: string[] = [];
  const result = await autocannon({
    url: system.api(),
    connections: CONNECTIONS,
    amount,
    setupClient(client) {
      const person = people[next++ % people.length]!;
      let video = '';
      client.setRequests([
        {
          method: 'POST',
          headers: { authorization: `Bearer ${person.token}` },
          setupRequest: (request) => ({ ...request, path: `/api/v1/video/${(video = choose())}` }),
          onResponse(status, body) {
            // autocannon only ends on a whole second.
            last = performance.now();
            if (status !== 200) failures.push(`${status} ${body}`);
            const pair = `${video} ${person.id}`;
            if (!liked.delete(pair)) liked.add(pair);
          },
        },
      ]);
    },
  });
  if (failures.length + result.errors > 0)
    throw new Error(`${failures.length} toggles were refused and ${result.errors} failed: ${failures[0]}`);
  return amount / ((last - start) / 1_000);
}

async function checkCounts(system: System, videos: readonly string[], liked: ReadonlySet<string>): Promise<void> {
  for (const id of videos) {
    const likers = [...liked].filter((pair) => pair.startsWith(id)).length;
    const { likeCount } = (await getVideo(system.api(), id)).data.video;
    if (likeCount !== likers) throw new Error(`video ${id} has ${likers} likers and counts ${likeCount}`);
  }
}
