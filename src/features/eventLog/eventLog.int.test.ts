import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startFeatures, type FeaturesTest, type FeatureUser } from '../../../tests/support/features.ts';
import { fc } from '../../../tests/support/property.ts';
import { unversionedTypes } from '../../../tests/support/testApi.ts';
import type { Answer } from '../../../tests/support/systemClient.ts';
import { createShownLog } from '../../core/shownLog.ts';
import type { LogEvent } from '../../realtime/logEvent.ts';
import { readLogPage } from './logPage.ts';

let features: FeaturesTest;
let admin: FeatureUser;
let ann: FeatureUser;
let bob: FeatureUser;
let videoId: string;
/** All events of the log, in order. */
let all: LogEvent[];

interface Meta {
  readonly nextAfter: string | null;
  readonly head: string;
}

beforeAll(async () => {
  features = await startFeatures();
  admin = await features.admin('Root');
  [ann, bob] = [await features.user('Ann'), await features.user('Bob')];
  videoId = await features.video(ann);
  for (const user of [ann, bob]) await like(user, 'PUT');
  await like(bob, 'DELETE');
  await features.video(bob, { until: 'failed' });
  all = await pages('');
});
afterAll(async () => features[Symbol.asyncDispose]());

const like = (user: FeatureUser, method: string): Promise<Answer<unknown>> =>
  features.call(method, `/api/v1/video/${videoId}/like`, {
    token: user.token,
    headers: { 'x-request-id': `by-${user.username}` },
  });

const get = (query: string, user = admin): Promise<Answer<LogEvent[]>> =>
  features.call('GET', `/api/v1/admin/events?${query}`, { token: user.token });
const metaOf = ({ body }: Answer<unknown>): Meta => body.meta as unknown as Meta;

/** The events of all pages. */
async function pages(query: string): Promise<LogEvent[]> {
  const found: LogEvent[] = [];
  for (let after: string | null = '0'; after !== null;) {
    const page: Answer<LogEvent[]> = await get(`${query}&after=${after}`);
    expect(page.status).toBe(200);
    found.push(...page.data);
    after = metaOf(page).nextAfter;
  }
  return found;
}

describe('the log', () => {
  test('is read in order, each event once, however it is cut into pages', async () => {
    expect(all.length).toBeGreaterThan(8);
    expect(all.map(({ position }) => BigInt(position))).toEqual(
      all.map(({ position }) => BigInt(position)).toSorted((a, b) => Number(a - b)),
    );
    for (const limit of [1, 2, 3, all.length, 1_000]) expect(await pages(`limit=${limit}`)).toEqual(all);
  });

  test('says where it ends, and goes on there', async () => {
    const { data, ...page } = await get('limit=1000');
    expect(metaOf(page as Answer<unknown>)).toEqual({ nextAfter: null, head: data.at(-1)!.position });
    const rest = await get(`after=${data.at(-1)!.position}`);
    expect([rest.data, metaOf(rest).nextAfter]).toEqual([[], null]);
  });

  test('shows an event in the documented form', () => {
    const at: unknown = expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/);
    expect(all.find(({ type }) => type === 'VideoUnliked')).toEqual({
      position: expect.stringMatching(/^\d+$/),
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      stream: `like-${videoId}_${bob.id}`,
      revision: 1,
      type: 'VideoUnliked',
      time: at,
      data: { videoId, userId: bob.id, ownerId: ann.id, at },
      metadata: { correlationId: 'by-bob', actor: bob.id, schemaVersion: expect.any(Number) },
    });
  });

  test('is for admins', async () => {
    expect((await get('', ann)).body).toMatchObject({ statusCode: 403, code: 'admin_required' });
    expect((await features.call('GET', '/api/v1/admin/events')).status).toBe(401);
  });
});

describe('a filter', () => {
  const queries: [string, (event: LogEvent) => boolean][] = [
    ['type=VideoLiked', ({ type }) => type === 'VideoLiked'],
    ['type=VideoLiked,VideoUnliked', ({ type }) => type.endsWith('iked')],
    ['category=video', ({ stream }) => stream.startsWith('video-')],
    ['correlationId=by-bob', ({ metadata }) => metadata.correlationId === 'by-bob'],
    [
      'correlationId=by-bob&type=VideoLiked',
      (event) => event.type === 'VideoLiked' && event.data!['userId'] === bob.id,
    ],
    ['category=video&type=VideoLiked', () => false],
  ];

  test.each(queries)('%s finds what it names, also in small pages', async (query, matches) => {
    const expected = all.filter(matches);
    for (const limit of [1, 2, 1_000]) expect(await pages(`${query}&limit=${limit}`)).toEqual(expected);
  });

  test('stream reads one stream, which may not exist', async () => {
    const stream = `like-${videoId}_${bob.id}`;
    for (const limit of [1, 100])
      expect(await pages(`stream=${stream}&limit=${limit}`)).toEqual(all.filter((event) => event.stream === stream));
    expect(await pages(`stream=${stream}&type=VideoUnliked`)).toHaveLength(1);
    expect(await pages('stream=like-nothing')).toEqual([]);
  });

  test('since and until are times of recording, both included', async () => {
    for (const { time } of [all[0]!, all[4]!, all.at(-1)!]) {
      expect(await pages(`since=${time}`)).toEqual(all.filter((event) => event.time >= time));
      expect(await pages(`until=${time}`)).toEqual(all.filter((event) => event.time <= time));
      expect(await pages(`since=${time}&until=${time}`)).toEqual(all.filter((event) => event.time === time));
    }
  });

  test('of a long stream begins at the position, and does not read what is before', async () => {
    const stream = `views-${videoId}_2020-01-01`;
    const event = { type: 'VideoViewed', data: { videoId, ownerId: ann.id, viewer: 'user:x', at: '' } } as const;
    for (let n = 0; n < 3; n++) await features.projecting.append(stream, ...Array.from({ length: 700 }, () => event));
    const found = await pages(`stream=${stream}&limit=999`);
    expect(found.map(({ revision }) => revision)).toEqual(Array.from({ length: 2_100 }, (_, n) => n));
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: 2_099 }), async (revision) => {
        const page = await get(`stream=${stream}&limit=2&after=${found[revision]!.position}`);
        expect(page.data).toEqual(found.slice(revision + 1, revision + 3));
      }),
      { numRuns: 20 },
    );
  });

  const inAnHour = new Date(Date.now() + 3_600_000).toISOString();
  test.each([
    ['type=VideoLike', 'type', 'VideoLiked'],
    ['type=videoliked', 'type', 'VideoLiked'],
    ['type=liked', 'type', 'VideoUnliked'],
    ['type=VideoLiked,Nothing', 'type', 'The types are '],
    ['since=yesterday', 'since', 'a time like 2025-01-31T12:00:00Z'],
    [`since=${inAnHour}`, 'since', 'must not be in the future: it is '],
    ['since=2025-02-01T00:00:00Z&until=2025-01-01T00:00:00Z', 'since', 'must not be after until'],
    ['category=video-1', 'category', 'before the hyphen'],
    ['after=-1', 'after', 'must be a position'],
    ['after=9000000000000000000', 'after', 'beyond the end of the log, which is '],
    ['limit=1001', 'limit', 'at most 1000'],
    ['limit=0', 'limit', 'at least 1'],
    ['stream=', 'stream', 'at least 1 character'],
  ])('%s is refused with what to do', async (query, path, words) => {
    const { status, body } = await get(query);
    expect([status, body.errorMessages?.map((each) => each.path)]).toEqual([400, [path]]);
    expect(body.message).toContain(words);
  });
});

describe('a page of rare events', () => {
  const log = () => createShownLog(features.projecting.store, unversionedTypes);
  const rare = { correlationId: randomUUID() };

  test('ends after so many events, and the pages together read the whole log', async () => {
    const events = Array.from({ length: 2_500 }, () => ({
      type: 'VideoViewed' as const,
      data: { videoId, ownerId: ann.id, viewer: 'user:x', at: '' },
    }));
    await features.projecting.append('views-long_2020-01-02', ...events);
    const head = await features.projecting.store.head();
    const places: (bigint | null)[] = [];
    for (let after: bigint | null = 0n; after !== null; places.push(after)) {
      const limits = { mostRead: 1_000, withinMs: 60_000 };
      const page = await readLogPage(log(), rare, { after, limit: 10 }, limits);
      expect([page.events, page.head]).toEqual([[], head]);
      after = page.nextAfter;
    }
    expect(places.length).toBe(Math.ceil(Number(head) / 1_000));
  });

  test('ends after so long', async () => {
    const { nextAfter } = await readLogPage(log(), rare, { after: 0n, limit: 10 }, { mostRead: 1e9, withinMs: 0 });
    expect(nextAfter).toBe(1_000n);
  });
});
