import { createHash, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { clip } from '../../../../tests/support/clips.ts';
import type { Answer, VideoPage } from '../../../../tests/support/systemClient.ts';
import { createTusRig, metadata, UPLOADS, type TusRig } from '../../../../tests/support/tusRig.ts';
import { collect } from '../../../objectStore/objectStoreContract.ts';

let rig: TusRig;
beforeAll(async () => {
  rig = await createTusRig();
}, 60_000);
afterAll(async () => rig[Symbol.asyncDispose]());

const code = ({ status, body }: Answer<unknown>): unknown[] => [status, body.code];
const sha1 = (bytes: Buffer): string => `sha1 ${createHash('sha1').update(bytes).digest('base64')}`;

describe('the wire of tus 1.0', () => {
  test('OPTIONS tells versions, extensions, checksums and the largest size', async () => {
    const { status, headers } = await fetch(`${rig.features.app.url}${UPLOADS}`, { method: 'OPTIONS' });
    expect([status, headers.get('tus-version'), headers.get('tus-max-size')]).toEqual([204, '1.0.0', '52428800']);
    expect(headers.get('tus-extension')).toBe('creation,creation-with-upload,checksum,expiration,termination');
    expect(headers.get('tus-checksum-algorithm')).toBe('sha1,sha256,md5');
  });

  test('a new upload has an address, begins at 0 and says when it expires', async () => {
    const { headers, data } = await rig.create(10, { title: 'Cat', filename: 'cat.mp4' });
    expect(headers.get('location')).toBe(`${UPLOADS}/${data.id}`);
    expect(Date.parse(headers.get('upload-expires')!)).toBeGreaterThan(Date.now() + 23 * 3_600_000);
    const head = await rig.call('HEAD', `${UPLOADS}/${data.id}`);
    expect([head.status, head.headers.get('upload-offset'), head.headers.get('upload-length')]).toEqual([
      200,
      '0',
      '10',
    ]);
    expect(head.headers.get('upload-metadata')).toBe(metadata({ title: 'Cat', filename: 'cat.mp4' }));
    expect(head.headers.get('cache-control')).toBe('no-store');
    expect(head.headers.get('tus-resumable')).toBe('1.0.0');
  });

  test('requests of another version, of another kind of body, or at another offset are refused', async () => {
    const path = await rig.begin(100);
    const old = await rig.call('POST', UPLOADS, { headers: { 'tus-resumable': '0.2.2' } });
    expect([...code(old), old.headers.get('tus-version')]).toEqual([412, 'tus_version_unsupported', '1.0.0']);
    expect(code(await rig.append(path, 0, Buffer.from('x'), { 'content-type': 'text/plain' }))).toEqual([
      415,
      'unsupported_media_type',
    ]);
    expect(code(await rig.append(path, 7, Buffer.from('x')))).toEqual([409, 'upload_offset_conflict']);
    expect(await rig.offsetOf(path)).toBe(0);
  });

  test('bad metadata, an empty file and one that is too large are refused when the upload is created', async () => {
    const size = { 'upload-length': '5' };
    expect(
      code(await rig.call('POST', UPLOADS, { headers: { ...size, 'upload-metadata': metadata({ title: ' ' }) } })),
    ).toEqual([400, 'validation_failed']);
    expect(code(await rig.call('POST', UPLOADS, { headers: size }))).toEqual([400, 'validation_failed']);
    expect(code(await rig.call('POST', UPLOADS, { headers: { ...size, 'upload-metadata': 'title ***' } }))).toEqual([
      400,
      'invalid_tus_request',
    ]);
    expect(code(await rig.create(0))).toEqual([400, 'invalid_upload']);
    expect(code(await rig.create(50 * 1024 * 1024 + 1))).toEqual([413, 'file_too_large']);
  });

  test('bytes whose checksum is wrong are discarded, and may be sent again', async () => {
    const path = await rig.begin();
    const first = rig.movie.subarray(0, 1_000);
    const wrong = await rig.append(path, 0, first, { 'upload-checksum': sha1(Buffer.from('other')) });
    expect(code(wrong)).toEqual([460, 'checksum_mismatch']);
    expect([await rig.offsetOf(path), await rig.storedParts(path)]).toEqual([0, []]);
    expect(code(await rig.append(path, 0, first, { 'upload-checksum': 'crc32 AAAA' }))).toEqual([
      400,
      'invalid_checksum',
    ]);
    expect((await rig.append(path, 0, first, { 'upload-checksum': sha1(first) })).status).toBe(204);
    expect(await rig.offsetOf(path)).toBe(1_000);
  });

  test('more bytes than announced are refused', async () => {
    const path = await rig.begin(10);
    expect((await rig.append(path, 0, Buffer.alloc(11))).status).toBe(413);
  });
});

describe('an upload', () => {
  test('in several requests becomes a video with the last byte, once, and leaves no parts behind', async () => {
    const path = await rig.begin();
    const middle = Math.floor(rig.movie.length / 2);
    expect((await rig.append(path, 0, rig.movie.subarray(0, middle))).headers.get('upload-offset')).toBe(
      String(middle),
    );
    expect(await rig.storedParts(path)).toHaveLength(1);
    const last = await rig.append(path, middle, rig.movie.subarray(middle));
    const videoId = last.headers.get('upload-video')!;
    expect([last.status, last.headers.get('location')]).toEqual([204, `/api/v1/video/${videoId}`]);
    expect(last.position).toBeGreaterThan(0n);
    const { data } = await rig.features.call<VideoPage>('GET', `/api/v1/video/${videoId}`, { token: rig.user.token });
    expect(data.video).toMatchObject({ id: videoId, title: 'A clip', status: 'processing', uploadedBy: rig.user.id });
    const again = await rig.append(path, middle, rig.movie.subarray(middle));
    expect([again.status, again.headers.get('upload-video'), again.position]).toEqual([204, videoId, last.position]);
    expect((await rig.call('HEAD', path)).headers.get('upload-video')).toBe(videoId);
    expect(await rig.storedParts(path)).toEqual([]);
    const originals = await collect(rig.features.objects.list(`originals/${videoId}/`));
    expect(originals).toEqual([`originals/${videoId}/${createHash('sha256').update(rig.movie).digest('hex')}.mp4`]);
    await rig.call('DELETE', path);
    expect((await rig.features.call('GET', `/api/v1/video/${videoId}`, { token: rig.user.token })).status).toBe(200);
  });

  test('has the visibility of its metadata', async () => {
    const { headers } = await rig.create(rig.movie.length, { title: 'Mine', visibility: 'private' });
    const videoId = (await rig.append(headers.get('location')!, 0, rig.movie)).headers.get('upload-video')!;
    const own = await rig.features.call<VideoPage>('GET', `/api/v1/video/${videoId}`, { token: rig.user.token });
    expect(own.data.video).toMatchObject({ title: 'Mine', visibility: 'private' });
    expect(code(await rig.create(5, { title: 'Mine', visibility: 'secret' }))).toEqual([400, 'validation_failed']);
  });

  test('may come whole with its creation', async () => {
    const { status, headers, data, position } = await rig.call('POST', UPLOADS, {
      body: new Uint8Array(rig.movie),
      headers: {
        'upload-length': String(rig.movie.length),
        'upload-metadata': metadata({ title: 'At once' }),
        'content-type': 'application/offset+octet-stream',
      },
    });
    expect([status, headers.get('location'), headers.get('upload-video')]).toEqual([
      201,
      `${UPLOADS}/${data.id}`,
      data.videoId,
    ]);
    expect(position).toBeGreaterThan(0n);
  });

  test('of tus-js-client, in small pieces, reports its progress to its user', async () => {
    const lastAnswer = await rig.send(rig.movie, { chunkSize: 3_000 });
    const videoId = lastAnswer('Upload-Video');
    const steps = rig.features.uploadProgress.filter((step) => step.videoId === videoId);
    expect(new Set(steps.map(({ stage }) => stage))).toEqual(new Set(['receiving', 'checking', 'storing']));
    const numbers = steps.map(({ progress }) => progress);
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    expect(steps.every(({ userId }) => userId === rig.user.id)).toBe(true);
  });

  test('belongs to its user', async () => {
    const path = await rig.begin();
    const { token } = await rig.features.user('Bob');
    for (const method of ['GET', 'HEAD', 'DELETE']) expect((await rig.call(method, path, { token })).status).toBe(404);
    expect((await rig.call('HEAD', `${UPLOADS}/${randomUUID()}`)).status).toBe(404);
    expect((await rig.call('HEAD', `${UPLOADS}/nonsense`)).status).toBe(404);
    const [mine, theirs] = [await rig.call('GET', UPLOADS), await rig.call('GET', UPLOADS, { token })];
    expect(mine.data).toContainEqual(expect.objectContaining({ id: path.split('/').at(-1), title: 'A clip' }));
    expect(theirs.data).toEqual([]);
    expect((await rig.features.call('POST', UPLOADS)).status).toBe(401);
  });

  test('that is given up leaves nothing', async () => {
    const path = await rig.begin();
    await rig.append(path, 0, rig.movie.subarray(0, 500));
    expect((await rig.call('DELETE', path)).status).toBe(204);
    expect([(await rig.call('HEAD', path)).status, await rig.storedParts(path)]).toEqual([404, []]);
  });

  test('of a user who was suspended since it began is refused at its end, and leaves nothing', async () => {
    const stream = `user-${rig.user.id}`;
    const decision = { userId: rig.user.id, by: 'command line', reason: 'Spam.', at: new Date().toISOString() };
    const path = await rig.begin();
    const videoId = await rig.videoIdOf(path);
    await rig.features.projecting.append(stream, {
      type: 'UserSuspended',
      data: { ...decision, generation: 1, keptSession: null },
    });
    // A request that began before the suspension: its token is not refused.
    expect(code(await rig.append(path, 0, rig.movie))).toEqual([403, 'account_suspended']);
    await rig.features.projecting.append(stream, { type: 'UserReinstated', data: decision });
    expect([(await rig.call('HEAD', path)).status, await rig.storedParts(path)]).toEqual([404, []]);
    expect([await rig.isVideo(videoId), await rig.pendingOf(videoId)]).toEqual([false, 0]);
  });

  test.each([
    ['is not a video', () => Promise.resolve(Buffer.alloc(5_000, 'text ')), 415, 'not_an_mp4'],
    ['is too long', async () => readFile(await clip('longSound')), 422, 'video_too_long'],
  ] as const)('of a file that %s is refused at its end, and leaves nothing', async (_what, load, status, reason) => {
    const file = await load();
    const path = await rig.begin(file.length);
    const videoId = await rig.videoIdOf(path);
    const head = await rig.features.projecting.store.head();
    expect(code(await rig.append(path, 0, file))).toEqual([status, reason]);
    expect([(await rig.call('HEAD', path)).status, await rig.storedParts(path)]).toEqual([404, []]);
    expect(await rig.features.projecting.store.head()).toBe(head);
    expect(await rig.pendingOf(videoId)).toBe(0);
  });

  test('counts as a pending video from its creation', async () => {
    const user = await rig.features.user('Eve');
    const { token } = user;
    const headers = { 'upload-length': String(26_000_000), 'upload-metadata': metadata({ title: 'Large' }) };
    const first = await rig.call('POST', UPLOADS, { token, headers });
    const second = await rig.call('POST', UPLOADS, { token, headers });
    expect([first.status, ...code(second)]).toEqual([201, 429, 'too_many_pending_bytes']);
    await rig.call('DELETE', first.headers.get('location')!, { token });
    expect((await rig.call('POST', UPLOADS, { token, headers })).status).toBe(201);
  });
});
