import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect } from '@jest/globals';
import { Upload } from 'tus-js-client';
import { clip } from '../support/clips.ts';
import { eventually } from '../support/eventually.ts';
import { call, newPerson, type Person, type Video } from '../support/systemClient.ts';
import { emptyRoom, metadata } from '../support/tusRig.ts';
import { useSystem } from '../support/useSystem.ts';

const UPLOADS = '/api/v1/uploads';
const { system, systemTest } = useSystem();

const MB = 1024 * 1024;

/** A short movie, and so many bytes that players skip. */
async function movieWithRoom(size: number): Promise<Buffer> {
  return Buffer.concat([await readFile(await clip('plain')), emptyRoom(size)]);
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

/** `url` may be a path. */
const offsetOf = async (api: string, url: string, { token }: Person): Promise<number> => {
  const headers = { 'tus-resumable': '1.0.0' };
  const answer = await call(api, 'HEAD', new URL(url, api).pathname, { token, headers });
  return Number(answer.headers.get('upload-offset'));
};

describe('a large upload', () => {
  systemTest(
    'goes on in any API process after the one that received it was killed, and becomes one video',
    async () => {
      const [first, last] = [system().playing('api')[0]!, system().playing('api').at(-1)!];
      const ann = await newPerson(first.url);
      const file = await movieWithRoom(49 * MB);
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

  systemTest(
    'is answered with its offset when its process is told to stop, and goes on from there in the next one',
    async () => {
      const [first, last] = [system().playing('api')[0]!, system().playing('api').at(-1)!];
      const ann = await newPerson(first.url);
      const file = await movieWithRoom(12 * MB);
      const created = await call(first.url, 'POST', UPLOADS, {
        token: ann.token,
        headers: {
          'tus-resumable': '1.0.0',
          'upload-length': String(file.length),
          'upload-metadata': metadata({ title: 'Interrupted' }),
        },
      });
      const path = created.headers.get('location')!;
      // The client sends a part and a quarter, and stays connected.
      const { answered } = await sendBeginning(first.url, path, ann, file, 5 * MB);
      const listed = async (): Promise<readonly { readonly offset: number }[]> =>
        (await call<{ offset: number }[]>(first.url, 'GET', UPLOADS, { token: ann.token })).data;
      await eventually(listed, {
        what: 'a part is stored',
        holds: ([upload]) => upload !== undefined && upload.offset > 0,
      });
      expect(await first.end('SIGTERM')).toBe(0);
      const answer = await answered;
      expect(answer).toMatch(/^HTTP\/1\.1 204 /);
      const offset = Number(/^upload-offset: (\d+)\r$/im.exec(answer)![1]);
      expect(offset).toBeGreaterThanOrEqual(4 * MB);
      expect(offset).toBeLessThanOrEqual(5 * MB);

      if (last === first) await first.start();
      expect(await offsetOf(last.url, path, ann)).toBe(offset);
      let from: number | undefined;
      const url = await new Promise<string | null>((resolve, reject) => {
        const upload = sender(last.url, ann, file, {
          uploadUrl: `${last.url}${path}`,
          onProgress: (bytes) => (from ??= bytes),
          onSuccess: ({ lastResponse }) => resolve(lastResponse.getHeader('upload-video') ?? null),
          onError: reject,
        });
        upload.start();
      });
      expect([from, url]).toEqual([offset, expect.any(String)]);
      if (!first.running) await first.start();
    },
    120_000,
  );
});

/** Sends so many bytes of a file, announces all of it, and leaves the connection open. `answered`: what the server has sent when it closes the connection. */
async function sendBeginning(
  api: string,
  path: string,
  { token }: Person,
  file: Buffer,
  bytes: number,
): Promise<{ readonly answered: Promise<string> }> {
  const { hostname, port } = new URL(api);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  const answered = text(socket);
  socket.write(
    [
      `PATCH ${path} HTTP/1.1`,
      'Host: localhost',
      `Authorization: Bearer ${token}`,
      'Tus-Resumable: 1.0.0',
      'Upload-Offset: 0',
      'Content-Type: application/offset+octet-stream',
      `Content-Length: ${file.length}`,
      '',
      '',
    ].join('\r\n'),
  );
  socket.write(file.subarray(0, bytes));
  return { answered };
}
