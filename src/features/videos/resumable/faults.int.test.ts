import { once } from 'node:events';
import { createServer } from 'node:http';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { v7 } from 'uuid';
import { freePorts } from '../../../../tests/support/freePorts.ts';
import { canMount, createSmallDisk, type SmallDisk } from '../../../../tests/support/smallDisk.ts';
import { createTestObjects } from '../../../../tests/support/testApi.ts';
import { createTusRig, metadata, UPLOADS, type TusRig } from '../../../../tests/support/tusRig.ts';
import { pause } from '../../../core/abortable.ts';
import { DomainError } from '../../../core/errors.ts';
import { drainThenClose } from '../../../http/request/drain.ts';
import { createMinioObjectStore } from '../../../objectStore/minioObjectStore.ts';
import type { ObjectStore } from '../../../objectStore/objectStore.ts';
import { collect } from '../../../objectStore/objectStoreContract.ts';
import { createSignedPaths } from '../../../objectStore/signedPaths.ts';
import { createUploadQuota } from '../processing/uploadQuota.ts';
import { pendingUploadsOf } from '../processing/pendingUploads.ts';
import { exchangeTus } from './tusExchange.ts';
import { createUploads } from './uploads.ts';

const MB = 1024 * 1024;
const idOf = (path: string): string => path.split('/').at(-1)!;

const isPossible = canMount();
if (!isPossible)
  process.stderr.write('SKIPPED: uploads to a full disk, because this user may not mount a file system\n');

(isPossible ? describe : describe.skip)('a disk that is full', () => {
  let disk: SmallDisk;
  let rig: TusRig;
  beforeAll(async () => {
    // Room for the first part of 4 MB, and not for the second.
    disk = await createSmallDisk(6);
    rig = await createTusRig({ objects: await createTestObjects(disk.folder), room: 9 * MB });
  }, 60_000);
  afterAll(async () => {
    await rig[Symbol.asyncDispose]();
    await disk[Symbol.asyncDispose]();
  });

  test('keeps what fits, and the upload goes on when there is room', async () => {
    const path = await rig.begin();
    const refused = await rig.append(path, 0, rig.movie);
    expect([refused.status, refused.body.code, refused.headers.get('retry-after')]).toEqual([
      503,
      'storage_full',
      '60',
    ]);
    // A part has 4 MB, and the rest of the bytes that came with them.
    const kept = await rig.offsetOf(path);
    expect(Math.floor(kept / MB)).toBe(4);
    expect(await collect(rig.features.objects.list('uploads/'))).toHaveLength(1);

    // All parts fit, but not the video beside them.
    await disk.resize(12);
    expect((await rig.append(path, kept, rig.movie.subarray(kept))).body.code).toBe('storage_full');
    const asked = await rig.call('HEAD', path);
    expect([asked.status, asked.headers.get('retry-after')]).toEqual([423, '1']);
    await disk.resize(64);
    const finished = await rig.call('HEAD', path);
    expect(finished.headers.get('upload-video')).toBe(await rig.videoIdOf(path));
    expect(await collect(rig.features.objects.list('uploads/'))).toEqual([]);
    expect(await collect(rig.features.objects.list('originals/'))).toHaveLength(1);
  }, 60_000);
});

describe('an object store that is away', () => {
  let rig: TusRig;
  /** Of which requests are refused. */
  let away = false;
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'away-'));
    const [port] = await freePorts(1);
    const refusing = createMinioObjectStore({
      endPoint: '127.0.0.1',
      port: port!,
      useSSL: false,
      accessKey: 'key',
      secretKey: 'secret',
      bucket: 'test',
      publicUrl: `http://127.0.0.1:${port!}`,
      mediaUrl: 'http://localhost/media',
      signed: createSignedPaths({ secrets: () => ['test'] }),
    });
    const disk = await createTestObjects(folder);
    const now = (): ObjectStore => (away ? refusing : disk);
    rig = await createTusRig({
      room: 9 * MB,
      maxPending: 3,
      objects: {
        putFile: (...given) => now().putFile(...given),
        getFile: (...given) => now().getFile(...given),
        copy: (...given) => now().copy(...given),
        list: (...given) => now().list(...given),
        remove: (...given) => now().remove(...given),
        check: () => now().check(),
        url: (...given) => disk.url(...given),
      },
    });
  }, 60_000);
  afterAll(async () => {
    await rig[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  const during = async (work: () => Promise<void>): Promise<void> => {
    away = true;
    try {
      await work();
    } finally {
      away = false;
    }
  };

  test('answers 503, and the upload goes on from its last part afterwards', async () => {
    const path = await rig.begin();
    await rig.append(path, 0, rig.movie.subarray(0, 5 * MB));
    await during(async () => {
      const refused = await rig.append(path, 5 * MB, rig.movie.subarray(5 * MB));
      expect([refused.status, refused.body.code]).toEqual([503, 'object_store_unavailable']);
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
      // Its offset is known without the store.
      expect(await rig.offsetOf(path)).toBe(5 * MB);
    });
    const header = await rig.send(rig.movie, { path });
    expect(header('upload-video')).toBe(await rig.videoIdOf(path));
  }, 60_000);

  test('delays the end of an upload whose bytes have all arrived', async () => {
    const path = await rig.begin();
    await rig.append(path, 0, rig.movie.subarray(0, -1));
    // The last byte arrives, and then the parts cannot be read.
    const getFile = rig.features.objects.getFile;
    Object.assign(rig.features.objects, {
      getFile: async (...given: Parameters<typeof getFile>) => {
        away = true;
        return getFile(...given);
      },
    });
    const last = await rig.append(path, rig.movie.length - 1, rig.movie.subarray(-1));
    expect([last.status, last.body.code]).toEqual([503, 'object_store_unavailable']);
    expect((await rig.call('HEAD', path)).status).toBe(423);
    Object.assign(rig.features.objects, { getFile });
    away = false;
    const finished = await rig.call('HEAD', path);
    expect([finished.status, finished.headers.get('upload-video')]).toEqual([200, await rig.videoIdOf(path)]);
  }, 60_000);

  test('takes no place in the quota for uploads that could not begin, and keeps none that are given up', async () => {
    await during(async () => {
      for (let times = 0; times < 5; times++) {
        const refused = await rig.call('POST', UPLOADS, {
          headers: {
            'upload-length': String(rig.movie.length),
            'upload-metadata': metadata({ title: 'A clip' }),
            'content-type': 'application/offset+octet-stream',
          },
          body: new Uint8Array(rig.movie),
        });
        expect([refused.status, refused.body.code]).toEqual([503, 'object_store_unavailable']);
      }
    });
    const path = await rig.begin();
    await rig.append(path, 0, rig.movie.subarray(0, 1_000));
    const videoId = await rig.videoIdOf(path);
    const [part] = await rig.storedParts(path);
    await during(async () => {
      expect((await rig.call('DELETE', path)).status).toBe(204);
    });
    expect([(await rig.call('HEAD', path)).status, await rig.pendingOf(videoId)]).toEqual([404, 0]);
    expect(await collect(rig.features.objects.list('uploads/'))).toEqual([part]);
    await rig.createSweep().look();
    expect(await collect(rig.features.objects.list('uploads/'))).toEqual([]);
  }, 60_000);
});

describe('a client that stalls', () => {
  let rig: TusRig;
  beforeAll(async () => {
    // More than one part: the first is stored while the others arrive.
    rig = await createTusRig({ room: 5 * MB });
  }, 60_000);
  afterAll(async () => rig[Symbol.asyncDispose]());

  test('is told so, and what it had sent is kept', async () => {
    const path = await rig.begin();
    await using server = await serveAppends(rig, 200);
    const socket = connect(server.port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write(
      [
        `PATCH ${path} HTTP/1.1`,
        'Host: localhost',
        'Tus-Resumable: 1.0.0',
        'Upload-Offset: 0',
        'Content-Type: application/offset+octet-stream',
        `Content-Length: ${rig.movie.length}`,
        '',
        '',
      ].join('\r\n'),
    );
    socket.write(rig.movie.subarray(0, 2_000));
    const [answer] = (await once(socket.setEncoding('utf8'), 'data')) as [string];
    expect(answer).toContain('upload_stalled: The upload stopped in the middle: nothing came for 0.2 s.');
    socket.destroy();
    expect(await rig.offsetOf(path)).toBe(2_000);
    expect((await rig.append(path, 2_000, rig.movie.subarray(2_000))).headers.get('upload-video')).toBeTruthy();
  });

  test('is not what a slow object store looks like', async () => {
    const path = await rig.begin();
    const { putFile } = rig.features.objects;
    Object.assign(rig.features.objects, {
      putFile: async (...given: Parameters<typeof putFile>) => {
        await pause(200);
        await putFile(...given);
      },
    });
    await using server = await serveAppends(rig, 50);
    const answer = await fetch(`http://127.0.0.1:${server.port}${path}`, {
      method: 'PATCH',
      headers: { 'tus-resumable': '1.0.0', 'upload-offset': '0', 'content-type': 'application/offset+octet-stream' },
      body: new Uint8Array(rig.movie),
    });
    expect(await answer.text()).toBe(String(rig.movie.length));
    Object.assign(rig.features.objects, { putFile });
  });
});

/** The exchange of the route that appends, with another limit for pauses. It answers with the new offset, or with the error. */
async function serveAppends(rig: TusRig, longestPause: number): Promise<AsyncDisposable & { readonly port: number }> {
  const { context } = rig.features;
  const server = createServer((raw, response) => {
    const uploads = createUploads(context.db);
    const quota = createUploadQuota({ db: pendingUploadsOf(context.db), ...context.settings.uploadQuota });
    const { signal } = new AbortController();
    exchangeTus(
      { raw, signal },
      { method: 'PATCH', id: idOf(raw.url!) },
      {
        ...context,
        uploads,
        quota,
        holder: v7(),
        ownerId: rig.user.id,
        newId: '',
        newVideoId: '',
        checksum: undefined,
        longestPause,
      },
    )
      .then(
        ({ headers }) => response.end(headers['Upload-Offset']),
        (error: unknown) =>
          response.end(error instanceof DomainError ? `${error.code}: ${error.message}` : String(error)),
      )
      .finally(() => drainThenClose(raw, 100));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
