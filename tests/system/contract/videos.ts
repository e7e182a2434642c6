import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { describe, expect } from '@jest/globals';
import { eachCount } from '../../../projections/videoCounts.ts';
import { clip as madeClip } from '../../support/clips.ts';
import { eventually } from '../../support/eventually.ts';
import {
  afterwards,
  call,
  getVideo,
  newPerson,
  setLike,
  toggleLike,
  upload,
  uploaded,
  type Like,
  type Me,
  type Video,
} from '../../support/systemClient.ts';
import type { Setting } from './setting.ts';

const nullOrUrl = { asymmetricMatch: (url: unknown) => url === null || /^https?:/.test(String(url)) };
/** Made a little later than the answer to an upload, which may be before the next answer. */
const soonMade = { hlsUrl: nullOrUrl, storyboardUrl: nullOrUrl, previewUrl: nullOrUrl };

/** Like a client of the original server, each test sends no X-Min-Position and uses one API. */
export function videosContract({ system, systemTest, clip }: Setting): void {
  describe('videos', () => {
    systemTest('the answer to an upload has a video that is ready to play', async () => {
      const api = system().api();
      const person = await newPerson(api);
      const answer = await upload(api, person.token, clip(), {
        title: 'How to upload video?',
        description: 'Here I show how.',
      });
      expect(answer.status).toBe(201);
      expect(answer.position).toBeGreaterThan(0n);
      expect(answer.data).toEqual({
        id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
        title: 'How to upload video?',
        description: 'Here I show how.',
        url: expect.stringMatching(/^https?:\/\//),
        thumbnailUrl: expect.stringMatching(/^https?:\/\//),
        ...eachCount('Count', () => 0),
        uploadedBy: person.id,
        createdAt: expect.any(String),
        updatedAt: expect.any(String),
        user: { name: person.name, username: person.username },
        duration: expect.closeTo(1, 0),
        width: 64,
        height: 48,
        status: 'ready',
        visibility: 'public',
        ...soonMade,
      });
    });

    systemTest('uploads are in the feed, newest first, and in me', async () => {
      const api = system().api();
      const person = await newPerson(api);
      const first = await uploaded(api, person.token, clip(), { title: 'first' });
      const second = await uploaded(api, person.token, clip(), { title: 'second' });
      const feed = await call<Video[]>(api, 'GET', '/api/v1/video?page=1&limit=2');
      expect(feed.status).toBe(200);
      expect(feed.data.map(({ id }) => id)).toEqual([second.id, first.id]);
      expect(feed.data[0]).toEqual({ ...second, ...soonMade });
      expect(feed.body.meta).toMatchObject({ page: 1, limit: 2, total: expect.any(Number) });
      expect(feed.body.meta!.total).toBeGreaterThanOrEqual(2);
      const me = await call<Me>(api, 'GET', '/api/v1/auth/me', { token: person.token });
      expect(me.data.videos.map(({ id }) => id).sort()).toEqual([first.id, second.id].sort());
    });

    systemTest('pages and cursors show the same videos, each once', async () => {
      const api = system().api();
      const person = await newPerson(api);
      for (const title of ['a', 'b', 'c']) await uploaded(api, person.token, clip(), { title });
      const total = (await call<Video[]>(api, 'GET', '/api/v1/video')).body.meta!.total!;
      const byPage: string[] = [];
      for (let page = 1; byPage.length < total; page += 1) {
        const { data } = await call<Video[]>(api, 'GET', `/api/v1/video?page=${page}&limit=2`);
        expect(data.length).toBeGreaterThan(0);
        byPage.push(...data.map(({ id }) => id));
      }
      const byCursor: string[] = [];
      let next: string | null | undefined = '';
      do {
        const answer: Awaited<ReturnType<typeof call<Video[]>>> = await call<Video[]>(
          api,
          'GET',
          `/api/v1/video?limit=2&cursor=${encodeURIComponent(next)}`,
        );
        expect(answer.status).toBe(200);
        byCursor.push(...answer.data.map(({ id }) => id));
        next = answer.body.meta?.nextCursor;
      } while (next);
      expect(new Set(byPage).size).toBe(total);
      expect(byCursor).toEqual(byPage);
    });

    systemTest('a single video names its neighbours: prev is older, next is newer', async () => {
      const api = system().api();
      const person = await newPerson(api);
      const [older, middle, newer] = [
        await uploaded(api, person.token, clip()),
        await uploaded(api, person.token, clip()),
        await uploaded(api, person.token, clip()),
      ];
      const answer = await getVideo(api, middle.id);
      expect(answer.status).toBe(200);
      expect(answer.data).toMatchObject({
        video: { id: middle.id },
        prev: { id: older.id },
        next: { id: newer.id },
        isLiked: false,
      });
    });

    systemTest('the toggle likes and unlikes, and its count already includes it', async () => {
      const api = system().api();
      const [owner, fan] = [await newPerson(api), await newPerson(api)];
      const { id } = await uploaded(api, owner.token, clip());
      const liked = await toggleLike(api, id, fan.token);
      expect(liked.status).toBe(200);
      expect(liked.data).toEqual({ message: expect.any(String), videoId: id, likeCount: 1, likeStatus: true });
      expect((await getVideo(api, id, { token: fan.token, ...afterwards(liked) })).data).toMatchObject({
        isLiked: true,
        video: { likeCount: 1 },
      });
      expect((await getVideo(api, id, { token: owner.token, ...afterwards(liked) })).data).toMatchObject({
        isLiked: false,
        video: { likeCount: 1 },
      });
      const unliked = await toggleLike(api, id, fan.token);
      expect(unliked.data).toMatchObject({ likeCount: 0, likeStatus: false });
      expect((await getVideo(api, id, { token: fan.token, ...afterwards(unliked) })).data).toMatchObject({
        isLiked: false,
        video: { likeCount: 0 },
      });
    });

    systemTest('PUT and DELETE of a like may be repeated', async () => {
      const api = system().api();
      const person = await newPerson(api);
      const { id } = await uploaded(api, person.token, clip());
      for (let turn = 0; turn < 2; turn += 1) {
        const answer = await setLike(api, id, person.token);
        expect(answer.data).toMatchObject({ likeCount: 1, likeStatus: true });
        await getVideo(api, id, { token: person.token, ...afterwards(answer) });
      }
      for (let turn = 0; turn < 2; turn += 1) {
        const answer = await call<Like>(api, 'DELETE', `/api/v1/video/${id}/like`, { token: person.token });
        expect(answer.data).toMatchObject({ likeCount: 0, likeStatus: false });
        await getVideo(api, id, { token: person.token, ...afterwards(answer) });
      }
    });

    systemTest('one viewer counts once a minute, another viewer counts too', async () => {
      const api = system().api();
      const [owner, viewer] = [await newPerson(api), await newPerson(api)];
      const { id } = await uploaded(api, owner.token, clip());
      for (let turn = 0; turn < 3; turn += 1) await getVideo(system().api(), id, { token: viewer.token });
      await getVideo(system().api(), id, { token: owner.token });
      const views = async (): Promise<number> => {
        const feed = await call<Video[]>(api, 'GET', '/api/v1/video?limit=100');
        return feed.data.find((video) => video.id === id)!.viewCount;
      };
      await eventually(views, { what: 'two viewers are counted', holds: (count) => count === 2 });
      // If the repeats were counted, a later view would not be the third.
      const third = await newPerson(api);
      await getVideo(api, id, { token: third.token });
      await eventually(views, { what: 'the third viewer is counted', holds: (count) => count === 3 });
    });

    systemTest(
      'a client that prefers not to wait gets the video in processing, and the video becomes ready',
      async () => {
        const api = system().api();
        const person = await newPerson(api);
        // The processing of this clip takes longer than an upload waits.
        const slow = await madeClip('slow');
        const answer = await upload(api, person.token, slow, { headers: { prefer: 'respond-async' } });
        expect([answer.status, answer.data.status]).toEqual([202, 'processing']);
        await eventually(async () => (await getVideo(api, answer.data.id, { token: person.token })).data.video.status, {
          within: 50_000,
          what: 'the video is ready',
          holds: (status) => status === 'ready',
        });
      },
    );

    systemTest('media files are served in ranges, with their type, and can be cached', async () => {
      const api = system().api();
      const person = await newPerson(api);
      const { url, thumbnailUrl } = (await uploaded(api, person.token, clip())) as {
        url: string;
        thumbnailUrl: string;
      };
      const whole = await fetch(url);
      expect(whole.status).toBe(200);
      expect(whole.headers.get('content-type')).toBe('video/mp4');
      const bytes = Buffer.from(await whole.arrayBuffer());
      expect(bytes.subarray(4, 8).toString()).toBe('ftyp');
      const etag = whole.headers.get('etag')!;
      expect(etag).toMatch(/^"[^"]+"$/);

      const part = await fetch(url, { headers: { range: 'bytes=10-19' } });
      expect([part.status, part.headers.get('content-range')]).toEqual([206, `bytes 10-19/${bytes.length}`]);
      expect(Buffer.from(await part.arrayBuffer())).toEqual(bytes.subarray(10, 20));
      const beyond = await fetch(url, { headers: { range: `bytes=${bytes.length}-` } });
      expect(beyond.status).toBe(416);
      await beyond.body?.cancel();
      expect(await statusOfConditionalGet(url, etag)).toBe(304);

      const thumbnail = await fetch(thumbnailUrl);
      expect([thumbnail.status, thumbnail.headers.get('content-type')]).toEqual([
        200,
        expect.stringMatching(/^image\//),
      ]);
      await thumbnail.body?.cancel();
      if (system().profile === 'embedded') {
        expect(whole.headers.get('x-content-type-options')).toBe('nosniff');
        expect(whole.headers.get('cache-control')).toMatch(/immutable/);
      }
    });
  });
}

/** A request like that of a browser. `fetch` would add Cache-Control: no-cache, which always asks for the bytes. */
async function statusOfConditionalGet(url: string, etag: string): Promise<number> {
  const sent = get(url, { headers: { 'if-none-match': etag } });
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  response.resume();
  return response.statusCode!;
}
