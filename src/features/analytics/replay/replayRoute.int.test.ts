import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startFeatures, type FeaturesTest, type FeatureUser } from '../../../../tests/support/features.ts';
import { asUuid } from '../../../../tests/support/ids.ts';
import type { Answer } from '../../../../tests/support/systemClient.ts';
import type { Replay } from './replayViews.ts';

let features: FeaturesTest;
let admin: FeatureUser;

beforeAll(async () => {
  features = await startFeatures();
  admin = await features.admin('Admin');
  const [videoId, ownerId] = [asUuid('video', 1), asUuid('user', 1)];
  for (const viewer of ['user:ann', 'user:ann', `user:${ownerId}`])
    await features.projecting.append(`views-${videoId}_2025-01-31`, {
      type: 'VideoViewed',
      data: { videoId, ownerId, viewer, at: '2025-01-31T12:00:00.000Z' },
    });
});
afterAll(async () => features[Symbol.asyncDispose]());

const range = { from: '2025-01-01', to: '2025-02-31' };
const replay = (json: object, token = admin.token): Promise<Answer<Replay>> =>
  features.call('POST', '/api/v1/admin/replays', { token, json });

describe('a replay over HTTP', () => {
  test('shows the views of each day under each rule, and changes nothing', async () => {
    await features.reached(await features.projecting.store.head());
    const before = await features.projecting.rows('analytics');
    const { status, data, body } = await replay({ ...range, rules: ['counted', 'not-the-owner+daily-unique'] });
    const day = {
      views: { counted: 3, 'daily-unique+not-the-owner': 1 },
      difference: { 'daily-unique+not-the-owner': -2 },
    };
    expect([status, data]).toEqual([
      200,
      { rules: ['counted', 'daily-unique+not-the-owner'], days: [{ date: '2025-01-31', ...day }], total: day },
    ]);
    expect(body.meta).toEqual({ position: String(await features.projecting.store.head()) });
    expect(await features.projecting.rows('analytics')).toEqual(before);
  });

  test.each([
    [{ ...range, rules: [] }, 'rules', /must name at least one of counted, daily-unique/],
    [{ ...range, rules: ['counted', 'others'] }, 'rules.1', /counted, daily-unique, not-the-owner.*no "others"/],
    [{ ...range, rules: ['daily-unique', 'counted+daily-unique'] }, 'rules.1', /daily-unique is given twice/],
    [{ from: '2025-02-01', to: '2025-01-31', rules: ['counted'] }, 'from', /must not be after 2025-01-31/],
    [{ from: 'yesterday', to: '2025-01-31', rules: ['counted'] }, 'from', /must be a day like 2025-01-31/],
    [{ to: '2025-01-31', rules: ['counted'] }, 'from', /from/],
  ])('is refused for %j', async (json, path, message) => {
    const { status, body } = await replay(json);
    expect([status, body.code, body.errorMessages?.[0]?.path]).toEqual([400, 'validation_failed', path]);
    expect(body.message).toMatch(message);
  });

  test('is for admins', async () => {
    const user = await features.user('User');
    const { status, body } = await replay({ ...range, rules: ['counted'] }, user.token);
    expect([status, body.code]).toEqual([403, 'admin_required']);
  });

  test('is done one at a time, and ends when its client leaves', async () => {
    const { store } = features.projecting;
    const { readAll } = store;
    const inside = Promise.withResolvers<AbortSignal>();
    Object.assign(store, {
      async *readAll(options: { signal: AbortSignal }) {
        inside.resolve(options.signal);
        yield { events: [], position: 0n };
        const { promise, reject } = Promise.withResolvers<never>();
        options.signal.addEventListener('abort', () => reject(options.signal.reason as Error));
        await promise;
      },
    });
    const leaving = new AbortController();
    const first = fetch(`${features.app.url}/api/v1/admin/replays`, {
      method: 'POST',
      headers: { authorization: `Bearer ${admin.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ ...range, rules: ['counted'] }),
      signal: leaving.signal,
    }).catch((error: unknown) => (error as Error).name);
    const signal = await inside.promise;
    Object.assign(store, { readAll });

    const { status, body, headers } = await replay({ ...range, rules: ['counted'] });
    expect([status, body.code, headers.get('retry-after')]).toEqual([409, 'replay_under_way', '10']);
    const left = new Promise((resolve) => signal.addEventListener('abort', resolve));
    leaving.abort();
    expect(await first).toBe('AbortError');
    await left;
    expect((await replay({ ...range, rules: ['counted'] })).status).toBe(200);
  });
});
