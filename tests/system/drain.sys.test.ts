import { beforeAll, describe, expect } from '@jest/globals';
import { eventually } from '../support/eventually.ts';
import { clip } from '../support/clips.ts';
import { firstProgress } from '../support/systemSockets.ts';
import { getVideo, newPeople, upload, uploaded, type Person, type Video } from '../support/systemClient.ts';
import { PersistentClient, type Outcome } from '../support/systemLoad.ts';
import { useSystem } from '../support/useSystem.ts';

const { system, systemTest } = useSystem();
let people: Person[] = [];
let videos: Video[] = [];
let plain = '';

beforeAll(async () => {
  plain = await clip('plain');
  people = await newPeople(16, system().api);
  videos = [];
  for (let index = 0; index < 10; index += 1) videos.push(await uploaded(system().api(), people[0]!.token, plain));
}, 120_000);

describe('SIGTERM', () => {
  systemTest(
    'an API process that restarts under load cuts off no request and loses no acknowledged like',
    async () => {
      const target = system().playing('api')[0]!;
      const stopped = new AbortController();
      const outcomes: (Outcome & { readonly whileStarting: boolean })[] = [];
      let starting = false;
      // A request that was sent during the start may be answered after it.
      const noted = async (send: () => Promise<Outcome>): Promise<Outcome> => {
        const startingWhenSent = starting;
        const outcome = await send();
        outcomes.push({ ...outcome, whileStarting: startingWhenSent || starting });
        return outcome;
      };
      const acknowledged = new Map(videos.map(({ id }) => [id, new Set<string>()]));

      // Each person likes one video after the other, and repeats each like until it is acknowledged. Then they begin
      // again.
      const load = people.map(async (person) => {
        const client = new PersistentClient();
        const headers = { authorization: `Bearer ${person.token}` };
        for (let turn = 0; !stopped.signal.aborted || turn < videos.length; turn += 1) {
          const video = videos[turn % videos.length]!;
          await eventually(
            () => noted(() => client.send(target.url, 'PUT', `/api/v1/video/${video.id}/like`, headers)),
            {
              within: 40_000,
              what: 'the restarted API answers',
              holds: (outcome) => outcome.kind === 'answered' && outcome.status === 200,
            },
          );
          acknowledged.get(video.id)!.add(person.id);
        }
        client.close();
      });

      await eventually(() => outcomes.length, { within: 40_000, what: 'the load runs', holds: (count) => count > 60 });
      expect(await target.end('SIGTERM')).toBe(0);
      starting = true;
      await target.start();
      starting = false;
      const answeredBefore = outcomes.length;
      await eventually(() => outcomes.length, {
        within: 40_000,
        what: 'the load continues',
        holds: (count) => count > answeredBefore + 60,
      });
      stopped.abort();
      await Promise.all(load);

      expect(outcomes.filter(({ kind }) => kind === 'cut')).toEqual([]);
      // A process that has opened its port but is not ready yet answers 503.
      const refused = outcomes.filter(
        (outcome) =>
          outcome.kind === 'answered' && outcome.status !== 200 && !(outcome.status === 503 && outcome.whileStarting),
      );
      expect(refused).toEqual([]);
      for (const { id } of videos) {
        expect(acknowledged.get(id)!.size).toBe(people.length);
        for (const api of system().apis) {
          await eventually(async () => (await getVideo(api, id)).data.video.likeCount, {
            what: `${api} counts every acknowledged like`,
            holds: (count) => count === people.length,
          });
        }
      }
    },
    120_000,
  );

  systemTest(
    'a process that receives SIGTERM during an upload answers it before it ends',
    async () => {
      const target = system().playing('api')[0]!;
      const big = await clip('slow');
      const { heard } = await firstProgress(system().apis.at(-1)!, people[1]!);
      const answer = upload(target.url, people[1]!.token, big);
      await heard;
      const code = target.end('SIGTERM');
      expect((await answer).status).toBe(202);
      expect(await code).toBe(0);
      await target.start();
      await eventually(
        async () => (await getVideo(target.url, (await answer).data.id, { token: people[1]!.token })).data.video.status,
        { within: 60_000, what: 'the uploaded video is ready', holds: (status) => status === 'ready' },
      );
    },
    150_000,
  );
});
