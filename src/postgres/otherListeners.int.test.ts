import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type pg from 'pg';
import { createTestDatabase, type TestDatabase } from '../../tests/support/database.ts';
import { eventually } from '../../tests/support/eventually.ts';
import { createOtherListeners } from './otherListeners.ts';

const CHANNEL = 'reelstream_test';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(async () => database[Symbol.asyncDispose]());

async function listening(): Promise<{ readonly pid: number; end(): void; readonly client: pg.PoolClient }> {
  const client = await database.pool.connect();
  await client.query(`listen ${CHANNEL}`);
  return { pid: (client as unknown as { processID: number }).processID, end: () => client.release(true), client };
}

test('others are known to be missing only while nobody else listens', async () => {
  const others = createOtherListeners({ pool: database.pool, channel: CHANNEL });
  expect(others.mayExist()).toBe(true);
  const own = await listening();
  others.listenWith(own.pid);
  await eventually(() => !others.mayExist(), { what: 'it is seen that nobody else listens' });

  const other = await listening();
  await eventually(() => others.mayExist(), { what: 'the other is seen' });
  other.end();
  await eventually(() => !others.mayExist(), { what: 'it is seen that the other has left' });

  // Another connection that once listened to something else.
  const elsewhere = await database.pool.connect();
  await elsewhere.query('listen somewhere_else');
  own.end();
  await eventually(() => others.mayExist(), { what: 'it is seen that our own connection is lost' });
  elsewhere.release(true);
  await others.close();
});

test('a server that does not show what its connections do may hide others', async () => {
  const others = createOtherListeners({ pool: database.pool, channel: CHANNEL });
  const own = await listening();
  others.listenWith(own.pid);
  await eventually(() => !others.mayExist(), { what: 'it is seen that nobody else listens' });
  await own.client.query('set track_activities = off');
  await eventually(() => others.mayExist(), { what: 'others may exist' });
  own.end();
  await others.close();
});
