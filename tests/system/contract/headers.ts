import { randomUUID } from 'node:crypto';
import { describe, expect } from '@jest/globals';
import { eventually } from '../../support/eventually.ts';
import {
  call,
  getVideo,
  newPerson,
  someone,
  setLike,
  toggleLike,
  uploaded,
  type Account,
  type Video,
} from '../../support/systemClient.ts';
import type { Setting } from './setting.ts';

export function headersContract({ system, systemTest, clip }: Setting): void {
  describe('headers', () => {
    systemTest('a query that names the position of a command sees it, on every API', async () => {
      const owner = await newPerson(system().api());
      const { id } = await uploaded(system().api(), owner.token, clip());
      for (let turn = 1; turn <= 5; turn += 1) {
        const fan = await newPerson(system().api());
        const { position, data } = await setLike(system().api(), id, fan.token);
        expect(data.likeStatus).toBe(true);
        for (const api of system().apis) {
          const seen = await getVideo(api, id, { token: fan.token, after: position });
          expect([seen.data.video.likeCount, seen.data.isLiked]).toEqual([turn, true]);
          const feed = await call<Video[]>(api, 'GET', '/api/v1/video?limit=100', { after: position });
          expect(feed.data.find((video) => video.id === id)!.likeCount).toBe(turn);
        }
      }
    });

    systemTest('a retry under the same Idempotency-Key gets the first answer and does nothing', async () => {
      const person = await newPerson(system().api());
      const { id } = await uploaded(system().api(), person.token, clip());
      const headers = { 'idempotency-key': randomUUID() };
      const first = await toggleLike(system().api(), id, person.token, { headers });
      const again = await toggleLike(system().api(), id, person.token, { headers });
      expect([first.status, first.data.likeStatus]).toEqual([200, true]);
      expect(again.data).toEqual(first.data);
      expect(again.position).toBe(first.position);

      const registration = { json: someone(), headers: { 'idempotency-key': randomUUID() } };
      const one = await call<Account>(system().api(), 'POST', '/api/v1/auth/register', registration);
      const two = await call<Account>(system().api(), 'POST', '/api/v1/auth/register', registration);
      expect([one.status, two.status]).toEqual([201, 201]);
      expect(two.data).toEqual(one.data);
    });

    systemTest('ten requests with one Idempotency-Key at the same time are one toggle', async () => {
      const person = await newPerson(system().api());
      const { id } = await uploaded(system().api(), person.token, clip());
      const headers = { 'idempotency-key': randomUUID() };
      await Promise.all(Array.from({ length: 10 }, () => toggleLike(system().api(), id, person.token, { headers })));
      const answer = await toggleLike(system().api(), id, person.token, { headers });
      expect(answer.data).toMatchObject({ likeCount: 1, likeStatus: true });
    });

    systemTest('feed and video have an ETag, and are not sent again while they are the same', async () => {
      const person = await newPerson(system().api());
      // A page of three has only this test's videos, and listing counts no view.
      const mine: Video[] = [];
      for (let count = 0; count < 3; count += 1) mine.push(await uploaded(system().api(), person.token, clip()));
      const { id } = mine[2]!;
      const api = system().api();
      await changesOnlyWithLikes(api, '/api/v1/video?limit=3', id, person.token);

      // This API records no other view of this viewer within a minute. After it is counted, nothing changes by itself.
      await getVideo(api, id, { token: person.token });
      for (const each of system().apis) {
        await eventually(
          async () =>
            (await call<Video[]>(each, 'GET', '/api/v1/video?limit=3')).data.find((video) => video.id === id)
              ?.viewCount,
          { what: 'the view is counted', holds: (count) => count === 1 },
        );
      }
      await changesOnlyWithLikes(api, `/api/v1/video/${id}`, id, person.token);
    });
  });

  async function changesOnlyWithLikes(api: string, path: string, videoId: string, token: string): Promise<void> {
    let { position } = await setLike(api, videoId, token);
    for (let turn = 0; turn < 2; turn += 1) {
      const sent = await call(api, 'GET', path, { token, after: position });
      const etag = sent.headers.get('etag')!;
      expect([sent.status, etag]).toEqual([200, expect.stringMatching(/^(W\/)?"[^"]+"$/)]);
      const same = await call(api, 'GET', path, { token, after: position, headers: { 'if-none-match': etag } });
      expect([same.status, same.text]).toEqual([304, '']);
      // A like of a new person gives a state that the video has never had before.
      ({ position } = await setLike(api, videoId, (await newPerson(api)).token));
      const changed = await call(api, 'GET', path, { token, after: position, headers: { 'if-none-match': etag } });
      expect(changed.status).toBe(200);
      expect(changed.headers.get('etag')).not.toBe(etag);
    }
  }
}
