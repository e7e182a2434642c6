import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { v7 } from 'uuid';
import { startFeatures, type FeaturesTest, type FeatureUser } from '../../../tests/support/features.ts';
import type { Answer } from '../../../tests/support/systemClient.ts';

interface Parked {
  readonly id: string;
  readonly position: string;
  readonly stream: string;
  readonly type: string;
  readonly error: string;
  readonly attempts: number;
  readonly waitsFor: string | null;
}

interface Outcome {
  readonly stream: string;
  readonly applied: number;
  readonly parked: number;
  readonly failed: Parked | null;
  readonly discarded?: { readonly eventId: string; readonly reason: string; readonly by: string };
}

const PATH = '/api/v1/admin/projections/videos/parked';

let f: FeaturesTest;
let admin: FeatureUser;
/** The types of events that the projection `videos` and the media process manager cannot apply. */
let broken: Set<string>;
const start = async (): Promise<void> => {
  broken = new Set();
  f = await startFeatures({
    refuse: (consumer, { type }) => broken.has(type) && ['videos', 'media_process_manager'].includes(consumer),
  });
  admin = await f.admin('Root');
};
const stop = (): Promise<void> => Promise.resolve(f[Symbol.asyncDispose]());

const ask = <Data = Outcome>(method: string, path: string, json?: object): Promise<Answer<Data>> =>
  f.call<Data>(method, path, { token: admin.token, ...(json && { json }) });
const list = async (path = PATH): Promise<Parked[]> => (await ask<Parked[]>('GET', path)).data;

/** A video whose `VideoProcessed` is parked, with a change of its title behind it. Returns its id. */
async function videoWithParkedEvents(): Promise<string> {
  const owner = await f.user('Ada');
  const videoId = await f.video(owner, { until: 'processing' });
  broken.add('VideoProcessed');
  await f.decide(videoId, {
    type: 'RecordVideoProcessed',
    video: { key: `videos/${videoId}/a.mp4`, size: 10 },
    thumbnail: { key: `videos/${videoId}/b.jpg`, size: 1 },
    facts: { duration: 1.5, width: 64, height: 48 },
    at: new Date().toISOString(),
  });
  const at = new Date().toISOString();
  await f.reached(await f.decide(videoId, { type: 'ChangeVideoDetails', userId: owner.id, title: 'New', at }));
  return videoId;
}

describe('the parked events of a projection', () => {
  beforeEach(start);
  afterEach(stop);

  test('are listed in pages, retried in order, and shown by the answers again', async () => {
    const videoId = await videoWithParkedEvents();
    const found = await ask<Parked[]>('GET', `${PATH}?limit=1`);
    expect(found).toMatchObject({
      status: 200,
      data: [
        { type: 'VideoProcessed', error: 'cannot apply VideoProcessed', waitsFor: null, stream: `video-${videoId}` },
      ],
    });
    const [first] = found.data;
    const { nextAfter } = found.body.meta as { nextAfter: string };
    expect(nextAfter).toBe(first!.position);
    const [second, ...others] = await list(`${PATH}?after=${nextAfter}`);
    expect(others).toEqual([]);
    expect(second).toMatchObject({ type: 'VideoDetailsChanged', attempts: 0, waitsFor: first!.id });

    expect(await ask('POST', `${PATH}/${second!.id}/retry`)).toMatchObject({
      status: 409,
      body: { code: 'not_first_parked', message: expect.stringContaining(first!.id) },
    });
    expect(await ask('POST', `${PATH}/${first!.id}/retry`)).toMatchObject({
      status: 422,
      body: { code: 'event_fails_again', message: expect.stringContaining('cannot apply VideoProcessed') },
    });
    expect((await list())[0]!.attempts).toBe(first!.attempts + 1);

    broken.clear();
    expect(await ask('POST', `${PATH}/${first!.id}/retry`)).toMatchObject({
      status: 200,
      data: { stream: `video-${videoId}`, applied: 2, parked: 0, failed: null },
    });
    expect(await list()).toEqual([]);
    expect(await f.call('GET', `/api/v1/video/${videoId}`)).toMatchObject({
      status: 200,
      data: { video: { title: 'New', status: 'ready' } },
    });
    expect((await ask('POST', `${PATH}/${first!.id}/retry`)).body.code).toBe('parked_event_not_found');
  });

  test('are discarded with a reason, which the log keeps', async () => {
    const videoId = await videoWithParkedEvents();
    const [first, second] = await list();
    const path = `${PATH}/${first!.id}`;
    const reason = 'The file is damaged.';
    expect(await ask('DELETE', `${PATH}/${second!.id}`, { reason })).toMatchObject({
      status: 409,
      body: { code: 'not_first_parked' },
    });
    const answer = await ask('DELETE', path, { reason });
    expect(answer).toMatchObject({
      status: 200,
      data: { discarded: { eventId: first!.id, reason, by: admin.id }, applied: 1, parked: 0, failed: null },
    });
    expect(answer.position).toBe(await f.projecting.store.head());
    expect(await list()).toEqual([]);
    // Not processed, as this read model sees it.
    expect((await f.call('GET', `/api/v1/video/${videoId}`)).status).toBe(404);

    const again = await ask('DELETE', path, { reason: 'Another reason.' });
    expect(again).toMatchObject({ status: 200, data: { discarded: { reason }, applied: 0 } });
    expect(await ask('POST', `${path}/retry`)).toMatchObject({
      status: 409,
      body: { code: 'event_discarded', message: expect.stringContaining(reason) },
    });
    const events = (await ask<{ type: string; data: object }[]>('GET', '/api/v1/admin/events?stream=projection-videos'))
      .data;
    expect(events).toMatchObject([
      { type: 'ParkedEventDiscarded', data: { eventId: first!.id, position: first!.position, reason, by: admin.id } },
    ]);
  });

  test('of a subscriber are retried and discarded in a process that runs it', async () => {
    await videoWithParkedEvents();
    const path = PATH.replace('videos', 'media_process_manager');
    const [first] = await list(path);
    expect(first!.type).toBe('VideoProcessed');
    broken.clear();
    expect(await ask('POST', `${path}/${first!.id}/retry`)).toMatchObject({ status: 200, data: { applied: 1 } });
    expect(await list(path)).toEqual([]);
  });
});

describe('bad requests are refused:', () => {
  beforeAll(start);
  afterAll(stop);

  test.each([
    ['another user', 'GET', PATH, undefined, 403, 'admin_required'],
    ['an unknown projection', 'GET', PATH.replace('videos', 'nothing'), undefined, 404, 'projection_unknown'],
    [
      'the schema of something else',
      'GET',
      PATH.replace('videos', 'videos__next'),
      undefined,
      404,
      'projection_unknown',
    ],
    ['an unknown event', 'POST', `${PATH}/${v7()}/retry`, undefined, 404, 'parked_event_not_found'],
    ['an id that is none', 'POST', `${PATH}/x/retry`, undefined, 404, 'parked_event_not_found'],
    ['a discard of an unknown event', 'DELETE', `${PATH}/${v7()}`, { reason: 'x' }, 404, 'parked_event_not_found'],
    ['a discard without a reason', 'DELETE', `${PATH}/${v7()}`, {}, 400, 'validation_failed'],
    ['a blank reason', 'DELETE', `${PATH}/${v7()}`, { reason: ' ' }, 400, 'validation_failed'],
    ['a long reason', 'DELETE', `${PATH}/${v7()}`, { reason: 'x'.repeat(501) }, 400, 'validation_failed'],
    ['a place that is none', 'GET', `${PATH}?after=x`, undefined, 400, 'validation_failed'],
  ] as const)('%s', async (who, method, path, json, status, code) => {
    const { token } = who === 'another user' ? await f.user('Ada') : admin;
    const answer = await f.call(method, path, { token, ...(json && { json }) });
    expect(answer).toMatchObject({ status, body: { code } });
  });
});
