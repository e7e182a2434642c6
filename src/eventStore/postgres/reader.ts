import type pg from 'pg';
import { abortable } from '../../core/abortable.ts';
import type { EventMetadata, RecordedEvent } from '../../core/event.ts';
import { isOutage } from '../../postgres/outage.ts';
import { queryWithin } from '../../postgres/queryWithin.ts';
import { EventStoreUnavailable, type EventBatch, type ReadStreamOptions } from '../../core/eventStore.ts';

/** Measured: beyond about 5 000 rows a page gains nothing. */
export const PAGE_SIZE = 5_000;
const STREAM_PAGE_SIZE = 500;
/** Positions that one filtered query looks at: bounds how long a rare type is searched without a sign of life. */
const FILTER_WINDOW = 50_000n;

const COLUMNS = 'position, stream, revision, id, type, data, metadata, time';
type Row = [
  position: string,
  stream: string,
  revision: number,
  id: string,
  type: string,
  data: object,
  metadata: EventMetadata,
  time: string,
];

export interface PageRequest {
  readonly after: bigint;
  /** Inclusive; not beyond the head. */
  readonly until: bigint;
  readonly types?: readonly string[];
  readonly batchSize?: number;
  readonly signal?: AbortSignal;
}

export interface PostgresReader {
  head(): Promise<bigint>;
  readStream(stream: string, options?: ReadStreamOptions): AsyncGenerator<RecordedEvent>;
  /** Pages up to `until`, each being fetched while the consumer works on the one before. */
  pages(request: PageRequest): AsyncGenerator<EventBatch>;
}

/** `timeoutMs` bounds each query, so that a server that hangs is noticed. */
export function createPostgresReader(pool: pg.Pool, timeoutMs: number): PostgresReader {
  async function rowsOf<R extends unknown[]>(name: string, text: string, values: unknown[]): Promise<R[]> {
    try {
      return await queryWithin<R>(pool, { name, text, values, rowMode: 'array', types: eventColumns }, timeoutMs);
    } catch (cause) {
      if (isOutage(cause)) throw new EventStoreUnavailable('the event log cannot be read', { cause });
      throw cause;
    }
  }

  async function head(): Promise<bigint> {
    const [row] = await rowsOf<[string]>('head', 'select position from reelstream.head', []);
    return BigInt(row![0]);
  }

  async function* readStream(
    stream: string,
    { from = 0, signal }: ReadStreamOptions = {},
  ): AsyncGenerator<RecordedEvent> {
    const text = `select ${COLUMNS} from reelstream.events where stream = $1 and revision >= $2 order by revision limit ${STREAM_PAGE_SIZE}`;
    for (let next = from; ;) {
      const rows = await abortable(rowsOf<Row>('readStream', text, [stream, next]), signal);
      for (const event of toEvents(rows)) {
        signal?.throwIfAborted();
        yield event;
      }
      if (rows.length < STREAM_PAGE_SIZE) return;
      next += rows.length;
    }
  }

  async function page({ after, until, types, batchSize = PAGE_SIZE }: PageRequest): Promise<EventBatch> {
    const end = types !== undefined && until - after > FILTER_WINDOW ? after + FILTER_WINDOW : until;
    const where = 'where position > $1 and position <= $2';
    const rows =
      types === undefined
        ? await rowsOf<Row>('page', `select ${COLUMNS} from reelstream.events ${where} order by position limit $3`, [
            after,
            end,
            batchSize,
          ])
        : await rowsOf<Row>(
            'typedPage',
            `select ${COLUMNS} from reelstream.events ${where} and type = any($4) order by position limit $3`,
            [after, end, batchSize, types],
          );
    const events = toEvents(rows);
    // A full page may have left some out; any other has given all up to its end, which was in the log before we looked.
    return { events, position: rows.length === batchSize ? events.at(-1)!.position : end };
  }

  async function* pages(request: PageRequest): AsyncGenerator<EventBatch> {
    const { until, signal } = request;
    for (let next: Promise<EventBatch> | undefined = page(request); next !== undefined;) {
      const batch: EventBatch = await abortable(next, signal);
      next = batch.position < until ? page({ ...request, after: batch.position }) : undefined;
      // Nobody waits for it yet, or ever, should the consumer stop.
      next?.catch(() => undefined);
      yield batch;
    }
  }

  return { head, readStream, pages };
}

function toEvents(rows: readonly Row[]): RecordedEvent[] {
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

/** What this adapter needs, whatever the pool's own settings are. */
const eventColumns: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number) => {
    if (oid === INT4) return Number;
    if (oid === JSON_TYPE) return JSON.parse;
    return String;
  }) as pg.CustomTypesConfig['getTypeParser'],
};
