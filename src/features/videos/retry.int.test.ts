import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { clip } from '../../../tests/support/clips.ts';
import { processed, startFeatures, type FeaturesTest, type FeatureUser } from '../../../tests/support/features.ts';
import type { Analytics, Answer, Video, VideoPage } from '../../../tests/support/systemClient.ts';
import type { VideoCommand } from './decider.ts';
import type { HistoryEntry } from './history.ts';

const MAX_PENDING = 3;
let features: FeaturesTest;
let ann: FeatureUser;
let bob: FeatureUser;
beforeAll(async () => {
  features = await startFeatures({ maxPending: MAX_PENDING });
});
beforeEach(async () => {
  [ann, bob] = [await features.user('Ann'), await features.user('Bob')];
});
afterAll(async () => features[Symbol.asyncDispose]());

const at = new Date().toISOString();
const failed: VideoCommand = { type: 'RecordProcessingFailure', reason: 'Ours.', at };

const retry = (id: string, user: FeatureUser, headers: Record<string, string> = {}): Promise<Answer<Video>> =>
  features.call('POST', `/api/v1/video/${id}/retry`, { token: user.token, headers });
const settle = async (id: string, command: VideoCommand): Promise<void> =>
  features.reached(await features.decide(id, command));
const history = async (id: string): Promise<string[]> =>
  (await features.call<HistoryEntry[]>('GET', `/api/v1/video/${id}/history`, { token: ann.token })).data.map(
    ({ type }) => type,
  );

async function upload(user: FeatureUser): Promise<Answer<Video>> {
  const body = new FormData();
  body.set('data', '{"title":"A clip"}');
  body.set('video', new Blob([await readFile(await clip('plain'))]), 'clip.mp4');
  const answer = await features.call<Video>('POST', '/api/v1/video/upload', {
    token: user.token,
    body,
    headers: { prefer: 'respond-async' },
  });
  if (answer.position !== undefined) await features.reached(answer.position);
  return answer;
}

describe('a retry of a failed video', () => {
  test('is accepted, shows in the next query, and may end well', async () => {
    const id = await features.video(ann, { until: 'failed' });
    const { status, data, position } = await retry(id, ann);
    expect([status, data.id, data.status, position! > 0n]).toEqual([202, id, 'processing', true]);
    expect((await features.call<VideoPage>('GET', `/api/v1/video/${id}`, { token: ann.token })).data.video).toEqual(
      data,
    );
    await settle(id, processed(id));
    expect((await features.call<VideoPage>('GET', `/api/v1/video/${id}`)).data.video.status).toBe('ready');
    expect(await history(id)).toEqual([
      'VideoUploaded',
      'VideoProcessingFailed',
      'VideoProcessingRetried',
      'VideoProcessed',
    ]);
  });

  test('counts as one upload once it is ready, on the day of the upload', async () => {
    const analytics = async (): Promise<Analytics> =>
      (await features.call<Analytics>('GET', '/api/v1/analytics', { token: ann.token })).data;
    const id = await features.video(ann, { until: 'failed' });
    await retry(id, ann);
    expect((await analytics()).totalUploads).toBe(0);
    await settle(id, failed);
    expect((await analytics()).totalUploads).toBe(0);
    await retry(id, ann);
    await settle(id, processed(id));
    expect((await analytics()).totalUploads).toBe(1);
  });

  test('is made once under one Idempotency-Key, whatever has become of it, and again under another', async () => {
    const id = await features.video(ann, { until: 'failed' });
    const headers = { 'idempotency-key': randomUUID() };
    for (const then of [failed, undefined]) {
      const { status, data } = await retry(id, ann, headers);
      expect([status, data.id]).toEqual([202, id]);
      if (then !== undefined) await settle(id, then);
    }
    expect(await history(id)).toEqual([
      'VideoUploaded',
      'VideoProcessingFailed',
      'VideoProcessingRetried',
      'VideoProcessingFailed',
    ]);
    expect((await retry(id, ann, { 'idempotency-key': randomUUID() })).data.status).toBe('processing');
  });

  test('is refused where there is nothing to retry, and to everybody else', async () => {
    const [ready, processing, other] = [
      await features.video(ann),
      await features.video(ann, { until: 'processing' }),
      await features.video(ann, { until: 'failed' }),
    ];
    const refusals = [
      await retry(ready, ann),
      await retry(processing, ann),
      await retry(ready, bob),
      await retry(other, bob),
      await retry(randomUUID(), ann),
      await retry('x', ann),
    ];
    expect(refusals.map(({ status, body }) => [status, body.code])).toEqual([
      [409, 'not_failed'],
      [409, 'not_failed'],
      [403, 'not_your_video'],
      [404, 'video_not_found'],
      [404, 'video_not_found'],
      [404, 'video_not_found'],
    ]);
    expect((await features.call('POST', `/api/v1/video/${other}/retry`)).status).toBe(401);
  });
});

describe('what one user has waiting is limited', () => {
  const pending = ({ status, body, headers }: Answer<unknown>): unknown => [
    status,
    body.code,
    headers.get('retry-after'),
  ];
  const refused = [429, 'too_many_pending_videos', '30'];

  test('by number: the next upload or retry of the user is refused until one is done, those of other users are not', async () => {
    const other = await features.video(ann, { until: 'failed' });
    const ids: string[] = [];
    for (let n = 0; n < MAX_PENDING; n++) ids.push((await upload(ann)).data.id);
    expect(pending(await upload(ann))).toEqual(refused);
    expect(pending(await retry(other, ann))).toEqual(refused);
    expect((await upload(bob)).status).toBe(202);
    await settle(ids[0]!, processed(ids[0]!));
    expect((await retry(other, ann)).status).toBe(202);
    expect(pending(await upload(ann))).toEqual(refused);
    await features.reached((await features.call('DELETE', `/api/v1/video/${ids[1]!}`, { token: ann.token })).position!);
    expect((await upload(ann)).status).toBe(202);
  });

  test('also when they come at once', async () => {
    const answers = await Promise.all(Array.from({ length: MAX_PENDING + 4 }, () => upload(ann)));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([
      ...Array.from({ length: MAX_PENDING }, () => 202),
      429,
      429,
      429,
      429,
    ]);
  });

  test('an upload that is refused takes no place', async () => {
    for (let n = 0; n < MAX_PENDING + 1; n++) {
      const body = new FormData();
      body.set('video', new Blob(['no video']), 'clip.mp4');
      expect((await features.call('POST', '/api/v1/video/upload', { token: ann.token, body })).status).toBe(415);
    }
    expect((await upload(ann)).status).toBe(202);
  });

  test('by size, before the file is sent', async () => {
    expect((await upload(ann)).status).toBe(202);
    const { status, body } = await begin('/api/v1/video/upload', ann, {
      'content-type': 'multipart/form-data; boundary=x',
      'content-length': String(50e6),
    });
    expect([status, JSON.parse(body)]).toMatchObject([
      429,
      { code: 'too_many_pending_bytes', message: expect.stringMatching(/delete one/) },
    ]);
  });

  /** Sends the head of a request and nothing of its body. */
  function begin(
    path: string,
    { token }: FeatureUser,
    headers: Record<string, string>,
  ): Promise<{ status: number | undefined; body: string }> {
    const { promise, resolve, reject } = Promise.withResolvers<{ status: number | undefined; body: string }>();
    const sent = request(
      new URL(path, features.app.url),
      { method: 'POST', headers: { ...headers, authorization: `Bearer ${token}` } },
      (response) => {
        let body = '';
        response.on('data', (chunk: Buffer) => (body += chunk.toString()));
        response.on('end', () => {
          sent.destroy();
          resolve({ status: response.statusCode, body });
        });
      },
    );
    sent.on('error', reject);
    sent.flushHeaders();
    return promise;
  }
});
