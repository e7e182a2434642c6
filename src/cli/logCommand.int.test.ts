import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../tests/support/database.ts';
import {
  startEventStoreDbDouble,
  type EventStoreDbDouble,
} from '../../tests/support/eventStoreDbDouble/eventStoreDbDouble.ts';
import { noSettings } from '../../tests/support/noSettings.ts';
import { inShell } from '../../tests/support/reelstream.ts';
import { someEvents } from '../eventStore/contract/eventStoreContract.ts';
import { createPostgresEventStore } from '../eventStore/postgres/postgresEventStore.ts';

const EVENTS = 3_000;

const parts = new AsyncDisposableStack();
let database: TestDatabase;
let other: TestDatabase;
let double: EventStoreDbDouble;

beforeAll(async () => {
  database = parts.use(await createTestDatabase());
  other = parts.use(await createTestDatabase());
  double = parts.use(await startEventStoreDbDouble());
  const store = createPostgresEventStore({ pool: database.pool });
  await store.appendMany(
    Array.from({ length: EVENTS / 2 }, (_, n) => ({
      stream: `video-${n % 40}`,
      events: someEvents(2),
      expected: 'any',
    })),
  );
  await store.close();
});
afterAll(() => parts.disposeAsync());

const copiedIds = (): string[] => double.log.events.filter(({ type }) => !type.startsWith('$')).map(({ id }) => id);

test('a copy that is killed in the middle goes on where it was, and back again every event is the same', async () => {
  const words = ['log', 'copy', '--from', database.url, '--to', double.url];
  const copying = spawn(process.execPath, ['bin/reelstream.js', ...words], {
    cwd: `${import.meta.dirname}/../..`,
    env: { ...process.env, ...noSettings },
    stdio: 'ignore',
  });
  const ended = once(copying, 'exit');
  const stop = double.log.onAppend(() => {
    if (copiedIds().length >= EVENTS / 6) copying.kill('SIGKILL');
  });
  expect(await ended).toEqual([null, 'SIGKILL']);
  stop();
  const before = copiedIds().length;
  expect(before).toBeGreaterThan(0);
  expect(before).toBeLessThan(EVENTS);

  const again = await inShell(`node bin/reelstream.js log copy --from '${database.url}' --to '${double.url}' --json`);
  expect(again).toMatchObject({
    code: 0,
    errors: expect.stringMatching(/100 % 3000 events of the target checked, \d+\/s/),
  });
  expect(JSON.parse(again.output)).toEqual({
    events: EVENTS,
    added: EVENTS - before,
    position: String(EVENTS),
    digest: expect.stringMatching(/^[0-9a-f]{64}$/),
    isBehind: false,
  });
  const ids = await database.pool.query<{ id: string }>('select id from reelstream.events order by position');
  expect(copiedIds()).toEqual(ids.rows.map(({ id }) => id));

  // Back, to the log of "this system".
  const back = await inShell(`node bin/reelstream.js log copy --from '${double.url}'`, { DATABASE_URL: other.url });
  expect(back).toMatchObject({
    code: 0,
    output: expect.stringContaining(`${EVENTS} events are in the target, ${EVENTS} of them new`),
  });
  const digest = `select md5(string_agg(concat_ws('|', position, stream, revision, id, type, data, metadata,
    date_trunc('milliseconds', time), hash), e'\\n' order by position)) from reelstream.events`;
  expect((await other.pool.query(digest)).rows).toEqual((await database.pool.query(digest)).rows);
});

test.each([
  ['', 2, '--to or --from must be given'],
  ['--to esdb://user:secret@127.0.0.1:1?tls=nonsense', 1, '--to must look like esdb://'],
])('log copy %s: exit code %s and what to do', async (words, code, message) => {
  const { errors, ...ended } = await inShell(`node bin/reelstream.js log copy ${words}`, { DATABASE_URL: other.url });
  expect(ended).toMatchObject({ code, output: '' });
  expect(errors).toContain(message);
  expect(errors).not.toContain('secret');
});
