import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { eventIdFor } from '../src/core/eventIds.ts';
import type { NewEvent } from '../src/core/event.ts';
import type { EventStore } from '../src/core/eventStore.ts';
import { createPostgresEventStore } from '../src/eventStore/postgres/postgresEventStore.ts';
import { createPool } from '../src/postgres/pool.ts';
import { createEmptyDatabase, createTestDatabase } from '../tests/support/database.ts';
import { inTurns, percentile, rate, type Benchmark, type Comparison } from './benchmark.ts';
import { cpuOfPostgres } from './cpuTime.ts';
import { openEmmett } from './peers/emmett.ts';
import { serversInTurns } from './servers.ts';

const FEW = 32;
const MANY = 256;
const MS = 1_500;
const ROUNDS = 5;
const EVENTS_TO_READ = 100_000;

/**
 * The PostgreSQL event store, compared on the same PostgreSQL with Emmett; with rows that are each inserted and committed alone, as
 * pgbench does; with a transaction of our own tables per append; and, for reading, with pages parsed with the driver's defaults.
 */
export const appends: Benchmark = {
  name: 'appends',
  async run() {
    await using database = await createTestDatabase();
    await using peers = await openPeers();
    const pool = createPool({ connectionString: database.url, name: 'bench', max: FEW });
    const store = createPostgresEventStore({ pool });
    const postgres = await cpuOfPostgres(pool);
    let appended = 0;
    const append = async (): Promise<void> => {
      const stream = `like-${randomUUID()}`;
      await store.append(stream, [someLike(stream)], 'none');
      appended++;
    };
    const rowEach = (): Promise<unknown> => peers.pool.query(ROW, rowOf(someLike()));
    const compare = (callers: number, theirs: () => Promise<unknown>) =>
      appendsInTurns(callers, append, theirs, postgres);
    try {
      for (const one of [append, peers.emmett, rowEach, () => transactionEach(peers.pool)]) await rate(FEW, 500, one);
      const results: Comparison[] = [
        {
          what: `appends, ${FEW} callers`,
          peer: 'Emmett 0.42',
          ...(await compare(FEW, peers.emmett)),
          atLeast: 7,
          chart: `appends, ${FEW} callers`,
        },
        {
          what: `appends, ${MANY} callers`,
          peer: 'Emmett 0.42',
          ...(await compare(MANY, peers.emmett)),
          atLeast: 12,
          chart: `appends, ${MANY} callers`,
        },
        {
          what: `appends, ${FEW} callers`,
          peer: 'a row a commit',
          ...(await compare(FEW, rowEach)),
          atLeast: 1.2,
          chart: `appends, ${FEW} callers`,
        },
        {
          what: `appends, ${FEW} callers`,
          peer: 'a transaction per append',
          ...(await compare(FEW, () => transactionEach(peers.pool))),
        },
      ];
      const alone = await inTurns(
        3,
        () => latency(append),
        () => latency(peers.emmett),
      );
      results.push({ what: 'one append at a time, median', peer: 'Emmett 0.42', ...alone, unit: 'ms' });
      await checkLog(store, appended);
      results.push(await reading(pool, store));
      return results;
    } finally {
      await store.close();
      await pool.end();
    }
  },
};

interface Peers extends AsyncDisposable {
  /** As large as that of the event store. */
  readonly pool: pg.Pool;
  /** Appends a like to a new stream. */
  emmett(): Promise<void>;
}

/** Each peer has a database of its own, on the server that ours uses. */
async function openPeers(): Promise<Peers> {
  await using parts = new AsyncDisposableStack();
  const [rows, emmetts] = [parts.use(await createTestDatabase()), parts.use(await createEmptyDatabase())];
  const [pool, emmettPool] = [rows, emmetts].map(({ url }) => {
    const each = new pg.Pool({ connectionString: url, max: FEW });
    parts.defer(() => each.end());
    return each;
  }) as [pg.Pool, pg.Pool];
  await pool.query(ROWS);
  const store = await openEmmett(emmettPool, emmetts.url);
  parts.defer(() => store.close());
  const running = parts.move();
  return {
    pool,
    async emmett() {
      const { type, data, metadata } = someLike();
      const events = [{ type, data, metadata }];
      await store.appendToStream(`like-${randomUUID()}`, events, { expectedStreamVersion: 'STREAM_DOES_NOT_EXIST' });
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** Medians of the rates, and of the CPU time of this process and of PostgreSQL for each append. */
async function appendsInTurns(
  callers: number,
  ours: () => Promise<unknown>,
  theirs: () => Promise<unknown>,
  postgres: (() => number) | undefined,
): Promise<Pick<Comparison, 'ours' | 'theirs' | 'unit' | 'cpu'>> {
  const { pid } = process;
  const servers = { ours: { pid, once: ours }, theirs: { pid, once: theirs }, postgres };
  return serversInTurns(ROUNDS, servers, async ({ once }) => {
    const begun = performance.now();
    const perSecond = await rate(callers, MS, once);
    const seconds = (performance.now() - begun) / 1_000;
    return { operations: perSecond * seconds, seconds };
  });
}

/** Every append that was answered is in the log, once. */
async function checkLog(store: EventStore, appended: number): Promise<void> {
  if ((await store.head()) !== BigInt(appended))
    throw new Error(`${appended} appends were answered, and the log ends at ${await store.head()}`);
}

const ROWS = `create table rows (
  id uuid primary key, stream text not null, type text not null, data json not null, metadata json not null,
  time timestamptz not null default now())`;
const ROW = { name: 'row', text: 'insert into rows (id, stream, type, data, metadata) values ($1, $2, $3, $4, $5)' };
const rowOf = ({ id, type, data, metadata }: NewEvent): unknown[] => [id, `like-${id}`, type, data, metadata];

/** With an id as commands give it. */
function someLike(stream = `like-${randomUUID()}`): NewEvent {
  const data = { videoId: randomUUID(), userId: randomUUID(), ownerId: randomUUID(), at: new Date().toISOString() };
  return {
    id: eventIdFor({ actor: data.userId }, stream, 0),
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

async function latency(once: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  await rate(1, 1_000, async () => {
    const start = performance.now();
    await once();
    times.push(performance.now() - start);
  });
  return percentile(times, 0.5);
}
