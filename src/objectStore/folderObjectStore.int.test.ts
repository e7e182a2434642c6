import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import express from 'express';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DomainError } from '../core/errors.ts';
import { createFolderObjectStore } from './folderObjectStore.ts';
import { createMediaHandler } from './mediaHandler.ts';
import { createSignedPaths } from './signedPaths.ts';
import type { ObjectStore } from './objectStore.ts';
import { describeObjectStore } from './objectStoreContract.ts';

const root = await mkdtemp(join(tmpdir(), 'folder-store-'));
const signed = createSignedPaths({ secrets: () => ['test'] });
afterAll(() => rm(root, { recursive: true, force: true }));

describeObjectStore('the folder store', () =>
  createFolderObjectStore({ root: join(root, 'contract'), publicUrl: 'http://localhost/media', signed }),
);

test('a start removes abandoned incomplete files, but not those that are being copied', async () => {
  const incoming = join(root, 'swept', '.incoming');
  await mkdir(incoming, { recursive: true });
  await writeFile(join(incoming, 'otherhost.1.old'), 'x');
  await utimes(join(incoming, 'otherhost.1.old'), 0, 0);
  await writeFile(join(incoming, 'otherhost.1.new'), 'x');
  await createFolderObjectStore({ root: join(root, 'swept'), publicUrl: '', signed });
  expect(await readdir(incoming)).toEqual(['otherhost.1.new']);
});

test('objects that are stored and removed at the same time in one folder do not disturb each other, and leave no folder', async () => {
  const store = await createFolderObjectStore({ root: join(root, 'busy'), publicUrl: '', signed });
  const path = join(root, 'to-be-stored');
  await writeFile(path, 'x');
  const repeat = async (name: string): Promise<void> => {
    for (let times = 0; times < 50; times++) {
      await store.putFile(`uploads/u1/part/${name}`, path, '');
      await store.remove([`uploads/u1/part/${name}`]);
    }
  };
  await Promise.all(['a', 'b', 'c', 'd'].map(repeat));
  expect(await readdir(join(root, 'busy/uploads'))).toEqual([]);
});

test('a folder whose removal was interrupted is removed with the next object', async () => {
  const store = await createFolderObjectStore({ root: join(root, 'interrupted'), publicUrl: '', signed });
  await mkdir(join(root, 'interrupted/videos/v1'), { recursive: true });
  await store.remove(['videos/v1/hls-a/240.mp4']);
  expect(await readdir(join(root, 'interrupted/videos'))).toEqual([]);
});

test('a file on the same disk is linked, and stays when its first name is removed', async () => {
  const store = await createFolderObjectStore({ root: join(root, 'linked'), publicUrl: '', signed });
  const path = join(root, 'to-be-linked');
  await writeFile(path, 'x');
  await store.putFile('videos/v1/abc.mp4', path, 'video/mp4');
  expect((await stat(join(root, 'linked/videos/v1/abc.mp4'))).ino).toBe((await stat(path)).ino);
  await rm(path);
  expect(await readFile(join(root, 'linked/videos/v1/abc.mp4'), 'utf8')).toBe('x');
});

describe('the media handler', () => {
  let server: Server;
  let base: string;
  let store: ObjectStore;
  const content = Buffer.from('0123456789'.repeat(100));

  beforeAll(async () => {
    const folder = join(root, 'served');
    store = await createFolderObjectStore({ root: folder, publicUrl: 'http://localhost/media', signed });
    await writeFile(join(root, 'in'), content);
    await store.putFile('videos/v1/abc.mp4', join(root, 'in'), 'video/mp4');
    await store.putFile('videos/v1/pic.jpg', join(root, 'in'), 'image/jpeg');
    await store.putFile('originals/v1/abc.mp4', join(root, 'in'), 'video/mp4');
    const app = express().use('/media', createMediaHandler({ root: folder, signed }));
    app.use(((error: unknown, _request, response, _next) => {
      const status = { notFound: 404, forbidden: 403 } as Record<string, number>;
      response.status((error instanceof DomainError ? status[error.kind] : undefined) ?? 500).end();
    }) as express.ErrorRequestHandler);
    server = createServer(app).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/media`;
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  test('a file is served with its type, length, a strong ETag and nosniff, and may be cached for ever', async () => {
    const response = await fetch(`${base}/videos/v1/abc.mp4`);
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'video/mp4',
      'content-length': '1000',
      etag: '"abc"',
      'accept-ranges': 'bytes',
      'x-content-type-options': 'nosniff',
      'cache-control': 'public, max-age=31536000, immutable',
    });
    // A browser that opens the file directly shows it in a page, in which no script may run.
    expect(response.headers.get('content-security-policy')!.split(';')).toEqual(
      expect.arrayContaining(["default-src 'none'", "media-src 'self'", 'sandbox']),
    );
    expect(content.equals(Buffer.from(await response.arrayBuffer()))).toBe(true);
    expect((await fetch(`${base}/videos/v1/pic.jpg`)).headers.get('content-type')).toBe('image/jpeg');
  });

  test.each([
    ['bytes=0-9', 'bytes 0-9/1000', '0123456789'],
    ['bytes=995-', 'bytes 995-999/1000', '56789'],
    ['bytes=-3', 'bytes 997-999/1000', '789'],
  ])('the range %s is answered with 206', async (range, contentRange, text) => {
    const response = await fetch(`${base}/videos/v1/abc.mp4`, { headers: { range } });
    expect([response.status, response.headers.get('content-range'), await response.text()]).toEqual([
      206,
      contentRange,
      text,
    ]);
  });

  test('a range of more last bytes than the file has is the whole file', async () => {
    const response = await fetch(`${base}/videos/v1/abc.mp4`, { headers: { range: 'bytes=-5000' } });
    expect([response.status, response.headers.get('content-range'), (await response.text()).length]).toEqual([
      206,
      'bytes 0-999/1000',
      1000,
    ]);
  });

  test.each(['bytes=5-2', 'bytes=-', 'bytes=a-b', 'bytes=0-1,5-2', 'bytes=', 'pages=1-2'])(
    'the range %s is not valid and is ignored',
    async (range) => {
      const response = await fetch(`${base}/videos/v1/abc.mp4`, { headers: { range } });
      expect([response.status, response.headers.get('content-range'), (await response.text()).length]).toEqual([
        200,
        null,
        1000,
      ]);
    },
  );

  test.each(['bytes=1000-', 'bytes=-0'])(
    'the range %s is past the end and is answered with 416 and the length',
    async (range) => {
      const response = await fetch(`${base}/videos/v1/abc.mp4`, { headers: { range } });
      expect([response.status, response.headers.get('content-range'), await response.text()]).toEqual([
        416,
        'bytes */1000',
        '',
      ]);
    },
  );

  test('If-None-Match with the ETag is answered with 304; If-Range with another ETag is answered with the whole file', async () => {
    // Without a Cache-Control header, fetch adds `no-cache` to a conditional request.
    expect(
      (
        await fetch(`${base}/videos/v1/abc.mp4`, {
          headers: { 'if-none-match': '"abc"', 'cache-control': 'max-age=0' },
        })
      ).status,
    ).toBe(304);
    expect(
      (await fetch(`${base}/videos/v1/abc.mp4`, { headers: { range: 'bytes=0-1', 'if-range': '"abc"' } })).status,
    ).toBe(206);
    expect(
      (await fetch(`${base}/videos/v1/abc.mp4`, { headers: { range: 'bytes=0-1', 'if-range': '"other"' } })).status,
    ).toBe(200);
  });

  test('HEAD has the headers and no body', async () => {
    const response = await fetch(`${base}/videos/v1/abc.mp4`, { method: 'HEAD' });
    expect([response.status, response.headers.get('content-length'), await response.text()]).toEqual([200, '1000', '']);
  });

  test.each([
    '/originals/v1/abc.mp4',
    '/videos/v1',
    '/videos/v1/',
    '/videos/none/x.mp4',
    '/videos/..%2foriginals/v1/abc.mp4',
    '/.incoming/x',
    '/videos/v1/%00',
    '/%E0%A4%A',
  ])('%s is not found', async (path) => {
    expect((await fetch(`${base}${path}`)).status).toBe(404);
  });

  test('a removed object is not found', async () => {
    await store.remove(['videos/v1/pic.jpg']);
    expect((await fetch(`${base}/videos/v1/pic.jpg`)).status).toBe(404);
  });

  describe('a private file', () => {
    const key = 'private/v1/abc.mp4';
    let signedPath: string;
    beforeAll(async () => {
      await store.copy('videos/v1/abc.mp4', key);
      signedPath = `${base}/${signed.sign(key)}`;
    });

    test('is served by its signed path, with ranges, and is cached by its reader until the path ends', async () => {
      const response = await fetch(signedPath, { headers: { range: 'bytes=0-9' } });
      expect([response.status, await response.text()]).toEqual([206, '0123456789']);
      const { headers } = response;
      expect(headers.get('content-type')).toBe('video/mp4');
      const [, seconds] = /^private, max-age=(\d+), immutable$/.exec(headers.get('cache-control')!)!;
      expect(Number(seconds)).toBeGreaterThan(54 * 60);
      expect(Number(seconds)).toBeLessThanOrEqual(3_600);
    });

    test('is not found by its key, or by a path that is not signed', async () => {
      const forged = signedPath.replace(/\.[\w-]{43}\//, `.${'A'.repeat(43)}/`);
      for (const url of [`${base}/${key}`, forged, signedPath.replace('/v1/', '/v2/')])
        expect((await fetch(url)).status).toBe(404);
    });

    test('is refused by a path that has ended', async () => {
      const old = createSignedPaths({ secrets: () => ['test'], clock: () => Date.now() - 3_700_000 });
      expect((await fetch(`${base}/${old.sign(key)}`)).status).toBe(403);
    });

    test('is not found once it is removed', async () => {
      await store.remove([key]);
      expect((await fetch(signedPath)).status).toBe(404);
    });
  });
});
