import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { beforeAll, describe, expect } from '@jest/globals';
import { createPool } from '../../src/postgres/pool.ts';
import { eventually } from '../support/eventually.ts';
import { missHeartbeats } from '../support/missHeartbeats.ts';
import { clip } from '../support/clips.ts';
import { call, getVideo, newPeople, upload, uploaded, type Analytics, type Person } from '../support/systemClient.ts';
import { firstProgress } from '../support/systemSockets.ts';
import { PersistentClient } from '../support/systemLoad.ts';
import { profile } from '../support/system.ts';
import { useSystem } from '../support/useSystem.ts';

const { system, systemTest } = useSystem();
let people: Person[] = [];

beforeAll(async () => {
  people = await newPeople(16, system().api);
}, 60_000);

const roles = profile === 'embedded' ? (['api'] as const) : (['api', 'projector', 'relay'] as const);

describe('kill -9', () => {
  for (const role of roles) {
    systemTest(
      `of ${profile === 'embedded' ? 'the whole process' : `one ${role}`} during likes: afterwards the counts equal the likers, and no acknowledged like is lost`,
      async () => {
        const plain = await clip('plain');
        const owner = people[0]!;
        const videoIds: string[] = [];
        for (let index = 0; index < 6; index += 1)
          videoIds.push((await uploaded(system().api(), owner.token, plain)).id);
        const likesBefore = (await analytics(owner)).totalLikes;
        const victim = system().playing(role)[0]!;
        const acknowledged = new Map(videoIds.map((id) => [id, new Set<string>()]));
        const inTheMiddle = Promise.withResolvers<void>();
        let answers = 0;
        let interrupted = 0;

        const load = people.map(async (person, number) => {
          const client = new PersistentClient();
          for (const [index, id] of videoIds.entries()) {
            const headers = { authorization: `Bearer ${person.token}`, 'idempotency-key': randomUUID() };
            // Half of the interrupted requests are tried again, as an impatient user does. The others are not.
            const tries = (index + number) % 2 === 0 ? Infinity : 1;
            for (let count = 0; count < tries; count += 1) {
              const api = system().api();
              const outcome = await client.send(api, 'PUT', `/api/v1/video/${id}/like`, headers);
              if (++answers === 10) inTheMiddle.resolve();
              if (outcome.kind === 'answered' && outcome.status === 200) {
                acknowledged.get(id)!.add(person.id);
                break;
              }
              interrupted += 1;
              await eventually(async () => (await fetch(`${api}/health/ready`)).ok, {
                within: 60_000,
                what: 'the API is ready again',
              });
              // The process that was killed holds the key for a while yet.
              await delay(250);
            }
          }
          client.close();
        });
        await inTheMiddle.promise;
        await victim.end('SIGKILL');
        await victim.start();
        await Promise.all(load);
        if (role === 'api') expect(interrupted).toBeGreaterThan(0);

        for (const id of videoIds) await countEqualsLikers(id, acknowledged.get(id)!);
        await eventually(
          async () => {
            const counts = await Promise.all(
              videoIds.map(async (id) => (await getVideo(system().api(), id)).data.video.likeCount),
            );
            return {
              counted: counts.reduce((sum, count) => sum + count, 0),
              analysed: (await analytics(owner)).totalLikes - likesBefore,
            };
          },
          {
            what: 'the analytics show the same number of likes',
            holds: ({ counted, analysed }) => analysed === counted,
          },
        );
      },
      150_000,
    );
  }

  systemTest(
    'during a transcode: the transcode runs again and finishes',
    async () => {
      const [owner] = people as [Person];
      const transcoding = await firstProgress(system().apis.at(-1)!, owner, 'transcoding');
      const answer = await upload(system().apis[0]!, owner.token, await clip('slow'), {
        headers: { prefer: 'respond-async' },
      });
      expect(answer.status).toBe(202);
      await transcoding.heard;

      const victim = await eventually(
        () =>
          system()
            .playing('media')
            .find((each) => each.children().includes('ffmpeg')),
        { what: 'a media worker runs FFmpeg' },
      );
      await victim!.end('SIGKILL');
      // In the embedded profile the victim is the whole system, so it is started again. In a cluster the other worker
      // takes over.
      if (profile === 'embedded') await victim!.start();
      else {
        const pool = createPool({ connectionString: await system().processes[0]!.databaseUrl(), name: 'test', max: 1 });
        await missHeartbeats(pool, answer.data.id);
        await pool.end();
      }
      const status = await eventually(
        async () => (await getVideo(system().apis[0]!, answer.data.id, { token: owner.token })).data.video.status,
        { within: 120_000, what: 'the transcode has finished', holds: (now) => now !== 'processing' },
      );
      expect(status).toBe('ready');
      if (profile === 'cluster') await victim!.start();
    },
    180_000,
  );
});

/** Read models that are equally far behind agree with each other too, so every acknowledged like must be counted. */
async function countEqualsLikers(videoId: string, acknowledged: ReadonlySet<string>): Promise<void> {
  await eventually(
    async () => {
      const counts = await Promise.all(
        system().apis.map(async (api) => (await getVideo(api, videoId)).data.video.likeCount),
      );
      const liked = await Promise.all(
        people.map(async ({ id, token }) =>
          (await getVideo(system().api(), videoId, { token })).data.isLiked ? id : null,
        ),
      );
      return { counts, likers: liked.filter((id) => id !== null) };
    },
    {
      within: 20_000,
      what: 'the counts equal the likers, and no acknowledged like is missing',
      holds: ({ counts, likers }) =>
        counts.every((count) => count === likers.length) && [...acknowledged].every((id) => likers.includes(id)),
    },
  );
}

async function analytics({ token }: Person): Promise<Analytics> {
  const day = new Date().toISOString().slice(0, 10);
  return (
    await call<Analytics>(system().api(), 'GET', `/api/v1/analytics?startDate=2025-01-01&endDate=${day}`, { token })
  ).data;
}
