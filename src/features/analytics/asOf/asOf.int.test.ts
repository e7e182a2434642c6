import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { v7 } from 'uuid';
import { eventually } from '../../../../tests/support/eventually.ts';
import { startFeatures, type FeaturesTest, type FeatureUser } from '../../../../tests/support/features.ts';
import type { Analytics, Answer, CallOptions } from '../../../../tests/support/systemClient.ts';

let features: FeaturesTest;
let owner: FeatureUser;
beforeAll(async () => {
  features = await startFeatures();
  owner = await features.user('Owner');
});
afterAll(async () => features[Symbol.asyncDispose]());

const asked = (query: string, options: CallOptions = {}): Promise<Answer<Analytics>> =>
  features.call('GET', `/api/v1/analytics${query}`, { token: owner.token, ...options });

/** Views on a day. Resolves when the read models have them. Returns the position of the last one. */
async function viewed(videoId: string, day: string, times = 1): Promise<bigint> {
  const views = Array.from({ length: times }, () => ({
    type: 'VideoViewed' as const,
    data: { videoId, ownerId: owner.id, viewer: `user:${v7()}`, at: `${day}T10:00:00.000Z` },
  }));
  const position = await features.projecting.append(`views-${videoId}_${day}`, ...views);
  await features.reached(position);
  return position;
}

/** A time after everything that was recorded, and before everything that will be. */
async function moment(): Promise<string> {
  const { rows } = await features.projecting.pool.query<{ time: Date }>(
    'select time from reelstream.events order by position desc limit 1',
  );
  const after = rows[0]!.time.getTime() + 1;
  await eventually(() => Date.now() > after, { what: 'the clock is past the last event' });
  return new Date(after).toISOString();
}

describe('analytics as of a moment', () => {
  test('are what the answer was then: numbers, titles, top videos and deletions', async () => {
    const before = await moment();
    const [first, second] = [await features.video(owner, { title: 'First' }), await features.video(owner)];
    await viewed(first, '2025-03-01', 2);
    const last = await viewed(second, '2025-03-02', 3);
    const then = await moment();
    const { data: live } = await asked('');
    expect(live).toMatchObject({ totalViews: 5, totalUploads: 2 });

    await viewed(first, '2025-03-01', 7);
    const at = '2025-03-05T00:00:00.000Z';
    const ofFirst = { videoId: first, ownerId: owner.id, at };
    await features.projecting.append(`video-${first}`, {
      type: 'VideoDetailsChanged',
      data: { ...ofFirst, title: 'Renamed', description: '' },
    });
    await features.reached(
      await features.projecting.append(`video-${second}`, {
        type: 'VideoDeleted',
        data: { ...ofFirst, videoId: second, wasPublic: true },
      }),
    );
    const now = await asked('');
    expect(now.data).toMatchObject({ totalViews: 12, topVideos: [{ id: first, title: 'Renamed', viewCount: 9 }] });
    expect(now.body.meta?.asOf).toBeUndefined();

    const past = await asked(`?asOf=${then}`);
    expect(past.data).toEqual(live);
    expect(past.data.topVideos.map(({ title, viewCount }) => [title, viewCount])).toEqual([
      ['A clip', 3],
      ['First', 2],
    ]);
    expect(past.body.meta).toMatchObject({ asOf: then, position: String(last) });
    expect((await asked(`?asOf=${then}&endDate=2025-03-01`)).data).toMatchObject({
      totalViews: 2,
      viewsOverTime: [{ date: '2025-03-01', count: 2 }],
    });
    expect((await asked(`?asOf=${then}&videoId=${second}`)).data).toMatchObject({ totalViews: 3, totalUploads: 1 });
    expect((await asked(`?asOf=${await moment()}`)).data).toEqual(now.data);
    expect((await asked(`?asOf=${before}`)).data).toMatchObject({ totalViews: 0, totalUploads: 0, topVideos: [] });
    const other = await features.user('Other');
    expect((await asked(`?asOf=${then}&videoId=${second}`, { token: other.token })).data).toMatchObject({
      totalViews: 0,
      topVideos: [],
    });
  });

  test('before the first event are zeros, at position 0', async () => {
    const { data, body } = await asked('?asOf=1999-12-31T23:59:59Z');
    expect(data).toMatchObject({ totalViews: 0, totalLikes: 0, totalUploads: 0, viewsOverTime: [], topVideos: [] });
    expect(body.meta).toMatchObject({ asOf: '1999-12-31T23:59:59.000Z', position: '0' });
  });

  test('take the time with any offset, and the last event of it', async () => {
    const id = await features.video(owner);
    await viewed(id, '2024-01-01');
    const { rows } = await features.projecting.pool.query<{ time: Date; position: bigint }>(
      'select time, position from reelstream.events order by position desc limit 1',
    );
    const exact = rows[0]!.time.toISOString();
    const plusTwo = new Date(rows[0]!.time.getTime() + 7_200_000).toISOString().replace('Z', '+02:00');
    await moment();
    for (const time of [exact, plusTwo]) {
      const { body } = await asked(`?asOf=${encodeURIComponent(time)}`);
      expect(body.meta).toMatchObject({ asOf: exact, position: String(rows[0]!.position) });
    }
  });

  test.each(['yesterday', '2025-01-31', '2025-02-30T00:00:00Z', '2025-01-31T12:00:00', ''])(
    'are refused for the time "%s"',
    async (time) => {
      const { status, body } = await asked(`?asOf=${time}`);
      expect([status, body.code]).toEqual([400, 'validation_failed']);
      expect(body.errorMessages).toEqual([{ path: 'asOf', message: 'asOf must be a time like 2025-01-31T12:00:00Z' }]);
    },
  );

  test('are refused for a time in the future, with what to do', async () => {
    const { status, body } = await asked(`?asOf=${new Date(Date.now() + 60_000).toISOString()}`);
    expect([status, body.code, body.errorMessages?.[0]?.path]).toEqual([400, 'validation_failed', 'asOf']);
    expect(body.message).toMatch(/must not be in the future: it is .+; leave asOf out/);
  });

  test('wait for a projection that is behind, and say so after a while', async () => {
    const id = await features.video(owner);
    const past = await moment();
    await viewed(id, '2025-05-05');
    await features.project(false);
    let waiting: Promise<Answer<Analytics>> | undefined;
    try {
      await features.projecting.append(`views-${id}_2025-05-05`, {
        type: 'VideoViewed',
        data: { videoId: id, ownerId: owner.id, viewer: 'user:x', at: '2025-05-05T10:00:00.000Z' },
      });
      const fresh = await moment();
      const { status, body, headers } = await asked(`?asOf=${fresh}`);
      expect([status, body.code, headers.get('retry-after')]).toEqual([503, 'projection_behind', '1']);
      expect((await asked(`?asOf=${past}`)).status).toBe(200);
      waiting = asked(`?asOf=${fresh}&videoId=${id}`);
    } finally {
      await features.project(true);
    }
    expect((await waiting).data.totalViews).toBe(2);
  });
});

describe('analytics as CSV', () => {
  const csv = (query: string, accept = 'text/csv') => asked(query, { headers: { accept } });

  test('are a file with a row for each day on which something happened', async () => {
    const id = await features.video(owner, { title: 'For a table' });
    await viewed(id, '2025-06-01', 2);
    await viewed(id, '2025-06-03', 1);
    const { text, headers, status } = await csv(`?startDate=2025-06-01&endDate=2025-06-30&videoId=${id}`);
    expect(status).toBe(200);
    expect(text).toBe('date,views,likes,uploads\r\n2025-06-01,2,0,0\r\n2025-06-03,1,0,0\r\n');
    expect(headers.get('content-type')).toBe('text/csv; charset=utf-8; header=present');
    expect(headers.get('content-disposition')).toBe(
      'attachment; filename="analytics-from-2025-06-01-to-2025-06-30.csv"',
    );
    expect(headers.get('vary')).toContain('Accept');
    expect(headers.get('cache-control')).toBe('no-store');
  });

  test('are also of a moment', async () => {
    const { text, headers } = await csv('?asOf=1999-12-31T23:59:59Z');
    expect(text).toBe('date,views,likes,uploads\r\n');
    expect(headers.get('content-disposition')).toBe(
      'attachment; filename="analytics-as-of-1999-12-31T235959.000Z.csv"',
    );
  });

  test.each([
    ['*/*', 'application/json'],
    ['text/html, */*;q=0.1', 'application/json'],
    ['text/csv;q=0.5, application/json;q=0.4', 'text/csv'],
    ['text/*', 'text/csv'],
  ])('or JSON, as Accept prefers: %s', async (accept, type) => {
    const { status, headers } = await csv('', accept);
    expect([status, headers.get('content-type')!.split(';')[0]]).toEqual([200, type]);
  });

  test('are refused to those who accept neither', async () => {
    const { status, body } = await csv('', 'image/png');
    expect([status, body.code]).toEqual([406, 'not_acceptable']);
  });
});
