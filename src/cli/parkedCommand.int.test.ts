import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { asUuid } from '../../tests/support/ids.ts';
import { createProjectingTest, type ProjectingTest } from '../../tests/support/projecting.ts';
import { reelstream, type Ended } from '../../tests/support/reelstream.ts';
import { counted } from '../features/analytics/index.ts';
import { readModelConsumers } from '../features/index.ts';

// Each command is a process of its own.
jest.setTimeout(120_000);

let t: ProjectingTest;
let folder: string;
/** The ids of the parked events, in the order of the log. */
let ids: string[];

const parked = (line: string): Promise<Ended> =>
  reelstream(`projections parked ${line}`, { DATABASE_URL: t.url, DATA_DIR: folder });
const listed = async (): Promise<{ id: string; projection: string; waitsFor: string | null }[]> =>
  JSON.parse((await parked('list --json')).output) as never;

/** Each stream has two parked events; the program of this clone can apply them. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parked-'));
  t = await createProjectingTest();
  const likes = readModelConsumers({ viewRule: counted }).find(({ name }) => name === 'likes')!;
  const broken = { ...likes, apply: () => Promise.reject(new Error('cannot be applied')) };
  const { reached, stop } = await t.run([broken]);
  for (const video of [1, 2]) {
    const [videoId, userId, ownerId] = [asUuid('video', video), asUuid('user', 1), asUuid('user', 2)];
    const data = { videoId, userId, ownerId, at: '2025-01-30T12:00:00.000Z' };
    const stream = `like-${videoId}_${userId}`;
    await reached('likes', await t.append(stream, { type: 'VideoLiked', data }, { type: 'VideoUnliked', data }));
  }
  await stop();
  ids = (await listed()).map(({ id }) => id);
});
afterAll(async () => {
  await t[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

test('list shows the parked events, as a table or as JSON', async () => {
  expect((await listed()).map(({ projection, waitsFor }) => [projection, waitsFor])).toEqual([
    ['likes', null],
    ['likes', ids[0]],
    ['likes', null],
    ['likes', ids[2]],
  ]);
  const { code, output } = await parked('list likes');
  expect(code).toBe(0);
  expect(output).toMatch(/^projection +position +stream +type +id +tries +error\n/);
  expect(output).toContain('cannot be applied');
});

test('retry applies a stream in order, and refuses an event that is not the first', async () => {
  const refused = await parked(`retry likes ${ids[1]}`);
  expect([refused.code, refused.output]).toEqual([1, '']);
  expect(refused.errors).toContain(`waits for the event ${ids[0]}`);
  const { code, output } = await parked(`retry likes ${ids[0]}`);
  expect([code, output]).toEqual([0, expect.stringContaining('2 parked events of like-')]);
});

test('discard records its reason; a retry then shows it', async () => {
  expect(await parked(`discard likes ${ids[2]}`)).toMatchObject({
    code: 2,
    errors: expect.stringContaining('--reason'),
  });
  expect(await parked(`discard likes ${ids[2]} --reason ' '`)).toMatchObject({ code: 2, output: '' });
  const { code, output } = await parked(`discard likes ${ids[2]} --reason 'Sent twice.' --json`);
  expect(code).toBe(0);
  expect(JSON.parse(output)).toMatchObject({
    discarded: { projection: 'likes', eventId: ids[2], reason: 'Sent twice.', by: 'command line' },
    applied: 1,
    parked: 0,
  });
  const retried = await parked(`retry likes ${ids[2]}`);
  expect([retried.code, retried.errors]).toEqual([1, expect.stringContaining('Sent twice.')]);
  expect((await parked('list')).output).toBe('No events are parked.\n');
});

test('an unknown projection or event is refused in a sentence', async () => {
  expect(await parked('retry nothing x')).toMatchObject({
    code: 2,
    errors: expect.stringContaining('projections are'),
  });
  expect(await parked('retry likes x')).toMatchObject({
    code: 1,
    errors: expect.stringMatching(/^likes has no parked/),
  });
});
