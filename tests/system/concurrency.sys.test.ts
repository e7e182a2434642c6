import { beforeAll, describe, expect } from '@jest/globals';
import { eventually } from '../support/eventually.ts';
import { clip } from '../support/clips.ts';
import {
  call,
  getVideo,
  newPeople,
  setLike,
  toggleLike,
  uploaded,
  type Analytics,
  type Answer,
  type Like,
  type Person,
  type Video,
} from '../support/systemClient.ts';
import { useSystem } from '../support/useSystem.ts';

const { system, systemTest } = useSystem();
let people: Person[] = [];
let plain = '';
/** The likes that the analytics must show before a test can measure a change. */
let newestLike = 0n;

beforeAll(async () => {
  plain = await clip('plain');
  people = await newPeople(24, system().api);
}, 60_000);

describe('many requests at the same time', () => {
  systemTest('likes of one video over all APIs are counted exactly, on every API', async () => {
    const { id } = await uploaded(system().api(), people[0]!.token, plain);
    const answers = await Promise.all(people.map(({ token }) => setLike(system().api(), id, token)));
    expect(answers.map(({ status }) => status)).toEqual(people.map(() => 200));
    newestLike = newestOf(answers);
    await everyApiCounts(id, people.length);
    // The answer to a like already counts that like, and no like counts twice.
    for (const { data } of answers) expect(data.likeCount).toBeLessThanOrEqual(people.length);
  });

  systemTest('toggles of the same like leave each person with one state, and the count equals the likers', async () => {
    const { id } = await uploaded(system().api(), people[0]!.token, plain);
    // After an odd number of toggles the person likes the video, after an even number not.
    const answers = await Promise.all(
      people.flatMap(({ token }, index) =>
        Array.from({ length: 3 + (index % 2) }, () => toggleLike(system().api(), id, token)),
      ),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    await everyApiCounts(id, people.length / 2);
    newestLike = newestOf(answers);
    for (const [index, { token }] of people.entries()) {
      const { data } = await getVideo(system().api(), id, { token, after: newestLike });
      expect([index, data.isLiked]).toEqual([index, index % 2 === 0]);
    }
  });

  systemTest(
    'likes and unlikes of many videos by many users are counted exactly, in the feed and in the analytics',
    async () => {
      const owner = people[0]!;
      const videos: Video[] = [];
      for (let index = 0; index < 4; index += 1) videos.push(await uploaded(system().api(), owner.token, plain));
      const analyticsBefore = await analytics(owner.token, newestLike);

      const expected = new Map(videos.map(({ id }) => [id, 0]));
      await Promise.all(
        people.flatMap(({ token }, person) =>
          videos.map(async ({ id }, video) => {
            await setLike(system().api(), id, token);
            if ((person + video) % 3 === 0) {
              const { data } = await call<Like>(system().api(), 'DELETE', `/api/v1/video/${id}/like`, { token });
              expect(data.likeStatus).toBe(false);
            } else {
              expected.set(id, expected.get(id)! + 1);
            }
          }),
        ),
      );
      for (const [id, count] of expected) await everyApiCounts(id, count);
      const total = [...expected.values()].reduce((a, b) => a + b, 0);
      await eventually(() => analytics(owner.token), {
        what: `the analytics show ${total} more likes`,
        holds: ({ totalLikes }) => totalLikes === analyticsBefore.totalLikes + total,
      });
    },
  );

  systemTest('uploads all become ready and are all in the feed', async () => {
    const uploads = await Promise.all(
      people
        .slice(0, 6)
        .map(({ token }, index) => uploaded(system().api(), token, plain, { title: `same time ${index}` })),
    );
    expect(new Set(uploads.map(({ status }) => status))).toEqual(new Set(['ready']));
    const ids = uploads.map(({ id }) => id);
    for (const api of system().apis) {
      await eventually(
        async () => (await call<Video[]>(api, 'GET', '/api/v1/video?limit=100')).data.map(({ id }) => id),
        { what: `${api} shows all uploads`, holds: (shown) => ids.every((id) => shown.includes(id)) },
      );
    }
  });
});

function newestOf(answers: readonly Answer<unknown>[]): bigint {
  return answers.map(({ position }) => position!).reduce((a, b) => (a > b ? a : b));
}

async function everyApiCounts(videoId: string, likes: number): Promise<void> {
  for (const api of system().apis) {
    await eventually(async () => (await getVideo(api, videoId)).data.video.likeCount, {
      what: `${api} counts ${likes} likes`,
      holds: (count) => count === likes,
    });
  }
}

async function analytics(token: string, after?: bigint): Promise<Analytics> {
  const day = new Date().toISOString().slice(0, 10);
  return (
    await call<Analytics>(system().api(), 'GET', `/api/v1/analytics?startDate=2025-01-01&endDate=${day}`, {
      token,
      after,
    })
  ).data;
}
