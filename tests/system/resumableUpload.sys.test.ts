import { readFile } from 'node:fs/promises';
import { describe, expect } from '@jest/globals';
import { Upload } from 'tus-js-client';
import { clip } from '../support/clips.ts';
import { eventually } from '../support/eventually.ts';
import { call, newPerson, type Person, type Video } from '../support/systemClient.ts';
import { useSystem } from '../support/useSystem.ts';

const UPLOADS = '/api/v1/uploads';
const { system, systemTest } = useSystem();

/** A movie of nearly 50 MB: a short one, and room that players skip. */
async function largeMovie(): Promise<Buffer> {
  const movie = await readFile(await clip('plain'));
  const room = Buffer.alloc(49 * 1024 * 1024);
  room.writeUInt32BE(room.length, 0);
  room.write('free', 4);
  return Buffer.concat([movie, room]);
}

function sender(api: string, { token }: Person, file: Buffer, options: Partial<Upload['options']>): Upload {
  return new Upload(file, {
    endpoint: `${api}${UPLOADS}`,
    headers: { authorization: `Bearer ${token}` },
    metadata: { title: 'Large', filename: 'large.mp4' },
    retryDelays: null,
    ...options,
  });
}

const offsetOf = async (api: string, url: string, { token }: Person): Promise<number> => {
  const headers = { 'tus-resumable': '1.0.0' };
  const answer = await call(api, 'HEAD', new URL(url).pathname, { token, headers });
  return Number(answer.headers.get('upload-offset'));
};

describe('an upload of 50 MB', () => {
  systemTest(
    'goes on in any API process after the one that received it was killed, and becomes one video',
    async () => {
      const [first, last] = [system().playing('api')[0]!, system().playing('api').at(-1)!];
      const ann = await newPerson(first.url);
      const file = await largeMovie();
      const interrupted = Promise.withResolvers<string>();
      const begun = sender(first.url, ann, file, {
        onProgress: (bytes) => {
          if (bytes > 24 * 1024 * 1024 && first.pid !== undefined) process.kill(first.pid, 'SIGKILL');
        },
        onError: () =>
          begun.url === null ? interrupted.reject(new Error('it never began')) : interrupted.resolve(begun.url),
        onSuccess: () => interrupted.reject(new Error('it was not interrupted')),
      });
      begun.start();
      const url = await interrupted.promise;
      await eventually(() => !first.running, { what: 'the process has ended' });
      if (last === first) await first.start();

      const offset = await eventually(() => offsetOf(last.url, url, ann), { what: 'its lock is free' });
      expect(offset).toBeGreaterThan(4 * 1024 * 1024);
      expect(offset).toBeLessThan(file.length);
      let from: number | undefined;
      await new Promise<void>((resolve, reject) => {
        sender(last.url, ann, file, {
          uploadUrl: `${last.url}${new URL(url).pathname}`,
          onProgress: (bytes) => (from ??= bytes),
          onSuccess: () => resolve(),
          onError: reject,
        }).start();
      });
      expect(from).toBeGreaterThanOrEqual(offset);
      const mine = async (): Promise<Video[]> =>
        (await call<Video[]>(last.url, 'GET', '/api/v1/video/mine', { token: ann.token })).data;
      await eventually(mine, {
        what: 'the video is ready',
        within: 60_000,
        holds: (videos) => videos.length === 1 && videos[0]!.status === 'ready',
      });
      expect((await call<unknown[]>(last.url, 'GET', UPLOADS, { token: ann.token })).data).toEqual([]);
      if (!first.running) await first.start();
    },
    180_000,
  );
});
