import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import type { NewEvent } from '../src/core/event.ts';
import type { EventStore } from '../src/core/eventStore.ts';
import { createPostgresEventStore } from '../src/eventStore/postgres/postgresEventStore.ts';
import { createPool } from '../src/postgres/pool.ts';
import { createTestDatabase } from '../tests/support/database.ts';
import { inTurns, percentile, rate, type Benchmark, type Comparison } from './benchmark.ts';

const CALLERS = 32;
const EVENTS_TO_READ = 100_000;

/** The PostgreSQL event store, compared with the usual way: a transaction per append, and pages parsed with the driver's defaults. */
export const appends: Benchmark = {
  name: 'appends',
  async run() {
    await using database = await createTestDatabase();
    const pool = createPool({ connectionString: database.url, name: 'bench', max: CALLERS });
    const store = createPostgresEventStore({ pool });
    try {
      const append = async (): Promise<void> => {
        await store.append(`like-${randomUUID()}`, [someLike()], 'none');
      };
      await Promise.all([rate(CALLERS, 500, append), rate(CALLERS, 500, () => transactionEach(pool))]);
      const written = await inTurns(
        5,
        () => rate(CALLERS, 1_500, append),
        () => rate(CALLERS, 1_500, () => transactionEach(pool)),
      );
      const alone = await inTurns(
        3,
        () => latency(append),
        () => latency(() => transactionEach(pool)),
      );
      return [
        { what: `appends, ${CALLERS} callers`, peer: 'a transaction per append', ...written, unit: '/s', atLeast: 8 },
        { what: 'one append at a time, median', peer: 'a transaction per append', ...alone, unit: 'ms' },
        await reading(pool, store),
      ];
    } finally {
      await store.close();
      await pool.end();
    }
  },
};

function someLike(): NewEvent {
  const data = { videoId: randomUUID(), userId: randomUUID(), ownerId: randomUUID(), at: new Date().toISOString() };
  return {
    id: randomUUID(),
    type: 'VideoLiked',
    data,
    metadata: { correlationId: randomUUID(), actor: data.userId, schemaVersion: 1 },
  };
}

/** Gives the same guarantees (commit-ordered positions, checked revision) with one transaction per append. */
async function transactionEach(pool: pg.Pool): Promise<void> {
  const { id, type, data, metadata } = someLike();
  const client = await pool.connect();
  try {
    await client.query('begin');
    await client.query('select position from reelstream.head for update');
    await client.query({
      name: 'insert',
      text: `with moved as (update reelstream.head set position = position + 1 returning position)
        insert into reelstream.events (position, stream, revision, id, type, data, metadata, time)
        select position, $1, 0, $2, $3, $4, $5, now() from moved`,
      values: [`like-${id}`, id, type, data, metadata],
    });
    await client.query('commit');
  } finally {
    client.release();
  }
}

async function reading(pool: pg.Pool, store: EventStore): Promise<Comparison> {
  while ((await store.head()) < EVENTS_TO_READ) {
    await store.appendMany(
      Array.from({ length: 2_000 }, () => ({ stream: `like-${randomUUID()}`, events: [someLike()], expected: 'none' })),
    );
  }
  const { rows } = await pool.query<{ count: number }>('select count(*)::int as count from reelstream.events');
  const all = async (read: () => Promise<number>): Promise<number> => {
    const start = performance.now();
    const count = await read();
    if (count !== rows[0]!.count) throw new Error(`read ${count} of ${rows[0]!.count} events`);
    return count / ((performance.now() - start) / 1_000);
  };
  const rates = await inTurns(
    3,
    () =>
      all(async () => {
        let count = 0;
        for await (const { events } of store.readAll({ after: 0n })) count += events.length;
        return count;
      }),
    () =>
      all(async () => {
        let count = 0;
        for (let after = 0n; ;) {
          const page = await pool.query<{ position: bigint }>(
            'select * from reelstream.events where position > $1 order by position limit 1000',
            [after],
          );
          if (page.rows.length === 0) return count;
          count += page.rows.length;
          after = page.rows.at(-1)!.position;
        }
      }),
  );
  return { what: 'reading the whole log', peer: 'objects, 1 000 per page', ...rates, unit: '/s' };
}

async function latency(once: () => Promise<void>): Promise<number> {
  const times: number[] = [];
  await rate(1, 1_000, async () => {
    const start = performance.now();
    await once();
    times.push(performance.now() - start);
  });
  return percentile(times, 0.5);
}
