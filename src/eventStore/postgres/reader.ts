import type pg from 'pg';
import { abortable } from '../../core/abortable.ts';
import type { EventMetadata, RecordedEvent } from '../../core/event.ts';
import { EventStoreUnavailable, type EventBatch, type ReadStreamOptions } from '../../core/eventStore.ts';
import { isOutage } from '../../postgres/outage.ts';
import { queryWithTimeout } from '../../postgres/queryWithTimeout.ts';
import { pageWasRead } from '../heapGrowth.ts';
import type { LogReader, PageRequest } from '../readToHead.ts';

/** Measured: pages of more than about 5 000 rows are not faster. */
const PAGE_SIZE = 5_000;
const STREAM_PAGE_SIZE = 500;
/** Positions that one filtered query covers. It bounds the time until a reader of a rare type reports its position. */
const FILTER_WINDOW = 50_000n;

const COLUMNS = 'position, stream, revision, id, type, data, metadata, time';
const WITH_HASH = `${COLUMNS}, encode(hash, 'hex')`;
type Row = [
  position: string,
  stream: string,
  revision: number,
  id: string,
  type: string,
  data: object,
  metadata: EventMetadata,
  time: string,
  /** In reads that ask for it. */
  hash?: string | null,
];

export interface PostgresReader extends LogReader {
  readStream(stream: string, options?: ReadStreamOptions): AsyncGenerator<RecordedEvent>;
  positionBefore(time: Date): Promise<bigint>;
  logId(): Promise<string | null>;
}

/**
 * Halves the log until one event is left: positions have no gaps, and times rise with them. With the limit, PostgreSQL looks each event up.
 * Otherwise it may read the whole log at each step, when it has not counted the rows of `head` yet, as after a restore.
 */
const POSITION_BEFORE = `
  with recursive search(low, high) as (
    select 0::bigint, position from reelstream.head
    union all
    select case when e.time < $1 then e.position else s.low end, case when e.time < $1 then s.high else e.position - 1 end
    from search s cross join lateral
      (select position, time from reelstream.events where position = (s.low + s.high + 1) / 2 limit 1) e
    where s.low < s.high
  )
  select low from search where low = high`;

const LOG_ID = `
  select coalesce(log_id, (select id from reelstream.events order by position limit 1))
  from reelstream.head`;

/** `timeoutMs`: the time limit of each query. */
export function createPostgresReader(pool: pg.Pool, timeoutMs: number): PostgresReader {
  async function rowsOf<R extends unknown[]>(name: string, text: string, values: unknown[]): Promise<R[]> {
    try {
      return await queryWithTimeout<R>(pool, { name, text, values, rowMode: 'array', types: eventColumns }, timeoutMs);
    } catch (cause) {
      if (isOutage(cause)) throw new EventStoreUnavailable('the event log cannot be read', { cause });
      throw cause;
    }
  }

  async function head(): Promise<bigint> {
    const [row] = await rowsOf<[string]>('head', 'select position from reelstream.head', []);
    return BigInt(row![0]);
  }

  async function positionBefore(time: Date): Promise<bigint> {
    const [row] = await rowsOf<[string]>('positionBefore', POSITION_BEFORE, [time]);
    return row === undefined ? 0n : BigInt(row[0]);
  }

  async function logId(): Promise<string | null> {
    const [row] = await rowsOf<[string | null]>('logId', LOG_ID, []);
    return row![0];
  }

  async function* readStream(
    stream: string,
    { from = 0, hashes = false, signal }: ReadStreamOptions = {},
  ): AsyncGenerator<RecordedEvent> {
    const [name, columns] = hashes ? ['readStreamHashes', WITH_HASH] : ['readStream', COLUMNS];
    const text = `select ${columns} from reelstream.events where stream = $1 and revision >= $2 order by revision limit ${STREAM_PAGE_SIZE}`;
    for (let next = from; ;) {
      const rows = await abortable(rowsOf<Row>(name, text, [stream, next]), signal);
      for (const event of toEvents(rows, hashes)) {
        signal?.throwIfAborted();
        yield event;
      }
      if (rows.length < STREAM_PAGE_SIZE) return;
      next += rows.length;
    }
  }

  async function page({
    after,
    until,
    types,
    batchSize = PAGE_SIZE,
    hashes = false,
  }: PageRequest): Promise<EventBatch> {
    const [suffix, columns] = hashes ? ['Hashes', WITH_HASH] : ['', COLUMNS];
    const end = types !== undefined && until - after > FILTER_WINDOW ? after + FILTER_WINDOW : until;
    const where = 'where position > $1 and position <= $2';
    const rows =
      types === undefined
        ? await rowsOf<Row>(
            `page${suffix}`,
            `select ${columns} from reelstream.events ${where} order by position limit $3`,
            [after, end, batchSize],
          )
        : await rowsOf<Row>(
            `typedPage${suffix}`,
            `select ${columns} from reelstream.events ${where} and type = any($4) order by position limit $3`,
            [after, end, batchSize, types],
          );
    const events = toEvents(rows, hashes);
    // A full page may have left events out. Any other holds all events up to `end`, which was in the log before the
    // query.
    return { events, position: rows.length === batchSize ? events.at(-1)!.position : end };
  }

  /** Unless told otherwise, fetches each page while the consumer works on the one before. */
  async function* pages(request: PageRequest): AsyncGenerator<EventBatch> {
    const { until, signal, readAhead = true } = request;
    for (let after = request.after, next: Promise<EventBatch> | undefined; after < until;) {
      const batch: EventBatch = await abortable(next ?? page({ ...request, after }), signal);
      after = batch.position;
      next = readAhead && after < until ? page({ ...request, after }) : undefined;
      // Nobody awaits this page yet; if the consumer stops, nobody ever will.
      next?.catch(() => undefined);
      pageWasRead(batch.events);
      yield batch;
    }
  }

  return { head, positionBefore, logId, readStream, pages };
}

function toEvents(rows: readonly Row[], hashes: boolean): RecordedEvent[] {
  const events = toPlainEvents(rows);
  return hashes ? events.map((event, n) => (rows[n]![8] == null ? event : { ...event, hash: rows[n]![8] })) : events;
}

function toPlainEvents(rows: readonly Row[]): RecordedEvent[] {
  let text = '';
  let time = new Date(0);
  return rows.map((row) => {
    // All events of one batch of appends have the same time.
    if (row[7] !== text) time = new Date((text = row[7]));
    return {
      position: BigInt(row[0]),
      stream: row[1],
      revision: row[2],
      id: row[3],
      type: row[4],
      data: row[5],
      metadata: row[6],
      time,
    };
  });
}

const INT4 = 23;
const JSON_TYPE = 114;

/** The types that this adapter needs, whatever the pool's settings are. */
const eventColumns: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number) => {
    if (oid === INT4) return Number;
    if (oid === JSON_TYPE) return JSON.parse;
    return String;
  }) as pg.CustomTypesConfig['getTypeParser'],
};
