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

const projections = (line: string): Promise<Ended> =>
  reelstream(`projections ${line}`, { DATABASE_URL: t.url, DATA_DIR: folder });
const liked = async (): Promise<unknown[]> => (await t.pool.query(`select distinct liked from likes.likes`)).rows;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'projections-'));
  t = await createProjectingTest();
  const likes = readModelConsumers({ viewRule: counted });
  const { reached, stop } = await t.run(likes);
  const [videoId, userId, ownerId] = [asUuid('video', 1), asUuid('user', 1), asUuid('user', 2)];
  const data = { videoId, userId, ownerId, at: '2025-01-30T12:00:00.000Z' };
  await reached('likes', await t.append(`like-${videoId}_${userId}`, { type: 'VideoLiked', data }));
  await stop();
});
afterAll(async () => {
  await t[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

test('rebuild makes the rows that the log says, rollback brings the replaced ones back, and verify finds them', async () => {
  const sound = await liked();
  await t.pool.query('update likes.likes set liked = not liked');
  const wrong = await liked();

  expect(await projections('rebuild likes')).toMatchObject({ code: 0, output: 'likes is rebuilt.\n' });
  expect(await liked()).toEqual(sound);
  expect(await projections('verify likes')).toMatchObject({ code: 0 });

  const back = await projections('rollback likes --json');
  expect([back.code, JSON.parse(back.output)]).toMatchObject([0, { kind: 'rollback', state: 'done' }]);
  expect(await liked()).toEqual(wrong);
  expect(await projections('verify likes')).toMatchObject({
    code: 1,
    output: expect.stringContaining('likes: 1 rows'),
  });

  const found = JSON.parse((await projections('list --json')).output) as { name: string }[];
  expect(found.find(({ name }) => name === 'likes')).toMatchObject({
    state: 'live',
    rebuild: { state: 'done', askedBy: 'command line' },
    rollback: { state: 'done' },
    kept: { until: expect.any(String) },
  });
  expect((await projections('list')).output).toMatch(/^likes .* live, older tables until /m);
});

test('what cannot be done is refused with exit code 1, and says what to do', async () => {
  expect(await projections('rollback videos')).toMatchObject({
    code: 1,
    errors: expect.stringContaining('No older tables of videos are kept.'),
  });
  expect(await projections('cancel videos')).toMatchObject({
    code: 1,
    errors: expect.stringContaining('No rebuild of videos is under way.'),
  });
});

test('rebuild is refused under other settings than those of the rows in place, and list names them', async () => {
  await t.pool.query(`update analytics.checkpoints set variant = 'daily-unique'`);
  expect((await projections('list')).output).toMatch(/^analytics .* made under other settings \(daily-unique\)/m);
  expect(await projections('rebuild analytics')).toMatchObject({
    code: 1,
    errors: expect.stringContaining('Use the settings of the running processes.'),
  });
  await t.pool.query(`update analytics.checkpoints set variant = ''`);
  expect(await projections('rebuild analytics')).toMatchObject({ code: 0 });
});

test('cancel ends a rebuild that no process has begun; a second rebuild is refused until then', async () => {
  await t.pool.query(
    `insert into reelstream.projection_operations (id, projection, kind, version, asked_by)
     values (gen_random_uuid(), 'videos', 'rebuild', 1, 'test')`,
  );
  expect(await projections('rebuild videos')).toMatchObject({
    code: 1,
    errors: expect.stringContaining('A rebuild of videos is under way'),
  });
  expect(await projections('cancel videos')).toMatchObject({
    code: 0,
    output: 'The rebuild of videos is cancelled.\n',
  });
  expect(await projections('rebuild videos')).toMatchObject({ code: 0 });
});

test('cancel ends a rebuild whose process has ended, without another process', async () => {
  await t.pool.query(
    `insert into reelstream.projection_operations (id, projection, kind, version, asked_by, state, started_at)
     select gen_random_uuid(), 'videos', 'rebuild', version, 'test', 'running', now() from videos.checkpoints`,
  );
  expect(await projections('cancel videos')).toMatchObject({
    code: 0,
    output: 'The rebuild of videos is cancelled.\n',
  });
});
