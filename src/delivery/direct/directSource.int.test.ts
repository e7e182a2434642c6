import { expect, test } from '@jest/globals';
import { createTestDatabase } from '../../../tests/support/database.ts';
import { appendLongLog } from '../../../tests/support/longLog.ts';
import { quiet } from '../../../tests/support/projecting.ts';
import { someEvents, someStream } from '../../eventStore/contract/eventStoreContract.ts';
import { createPostgresEventStore } from '../../eventStore/postgres/postgresEventStore.ts';
import { createDirectSource } from './directSource.ts';

test('gives readers every event once, and does not follow a log that grows by more than it keeps', async () => {
  await using database = await createTestDatabase();
  const store = createPostgresEventStore({ pool: database.pool });
  let followed = 0;
  const source = createDirectSource({
    logger: quiet,
    store: {
      ...store,
      async *subscribe(options) {
        for await (const batch of store.subscribe(options)) {
          followed += batch.events.length;
          yield batch;
        }
      },
    },
  });
  const reader = source.open(0);
  const read: bigint[] = [];
  const readTo = async (end: bigint): Promise<void> => {
    while ((read.at(-1) ?? 0n) < end) {
      const { events } = await reader.next(read.at(-1) ?? 0n, AbortSignal.timeout(30_000));
      read.push(...events.map(({ position }) => position));
    }
  };
  const appendOne = async (): Promise<bigint> => (await store.append(someStream(), someEvents(1), 'none')).position;

  try {
    await readTo(await appendOne());
    // One commit, so that all of it comes at once.
    await readTo(await appendLongLog(database.pool, { events: 40_000 }));
    await readTo(await appendOne());
    expect(read).toEqual(Array.from({ length: 40_002 }, (_, n) => BigInt(n + 1)));
    expect(followed).toBeGreaterThan(0);
    expect(followed).toBeLessThan(15_000);
  } finally {
    reader.close();
    await source.close();
    await store.close();
  }
});
