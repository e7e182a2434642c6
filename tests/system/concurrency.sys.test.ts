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
/** What the analytics must hold before a change of theirs can be told. */
let newestLike = 0n;

beforeAll(async () => {
  plain = await clip('plain');
  people = await newPeople(24, system().api);
}, 60_000);

describe('many at once', () => {
  systemTest('likes of one hot video over all APIs come out as the number of likers, on every API', async () => {
    const { id } = await uploaded(system().api(), people[0]!.token, plain);
    const answers = await Promise.all(people.map(({ token }) => setLike(system().api(), id, token)));
    expect(answers.map(({ status }) => status)).toEqual(people.map(() => 200));
    newestLike = newestOf(answers);
    await everyApiCounts(id, people.length);
    // A like that waited for its own effect has counted itself, and nobody counted twice.
    for (const { data } of answers) expect(data.likeCount).toBeLessThanOrEqual(people.length);
  });

  systemTest('toggles racing each other leave each liker in one state, and the count in step with them', async () => {
    const { id } = await uploaded(system().api(), people[0]!.token, plain);
    // An odd number of toggles ends liked, an even one unliked.
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

  systemTest('likes and unlikes of many videos by many users add up, in the feed and in the analytics', async () => {
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
      what: `the analytics hold ${total} more likes`,
      holds: ({ totalLikes }) => totalLikes === analyticsBefore.totalLikes + total,
    });
  });

  systemTest('uploads at once all become ready and are all in the feed', async () => {
    const uploads = await Promise.all(
      people
        .slice(0, 6)
        .map(({ token }, index) => uploaded(system().api(), token, plain, { title: `at once ${index}` })),
    );
    expect(new Set(uploads.map(({ status }) => status))).toEqual(new Set(['ready']));
    const ids = uploads.map(({ id }) => id);
    for (const api of system().apis) {
      await eventually(
        async () => (await call<Video[]>(api, 'GET', '/api/v1/video?limit=100')).data.map(({ id }) => id),
        { what: `${api} shows all that was uploaded`, holds: (shown) => ids.every((id) => shown.includes(id)) },
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
