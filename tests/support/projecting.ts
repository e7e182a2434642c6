import { randomUUID } from 'node:crypto';
import pino, { type Logger } from 'pino';
import type pg from 'pg';
import type { RecordedEvent } from '../../src/core/event.ts';
import { createDirectSource } from '../../src/delivery/direct/directSource.ts';
import type { EventStore } from '../../src/core/eventStore.ts';
import { createPostgresEventStore } from '../../src/eventStore/postgres/postgresEventStore.ts';
import type { ReelStreamEvent } from '../../src/features/index.ts';
import { discardedEvents } from '../../src/features/operators/index.ts';
import { bookkeepingTables } from '../../src/projecting/checkpoints.ts';
import type { Consumer } from '../../src/projecting/consumer.ts';
import { createLogId } from '../../src/core/logId.ts';
import type { ReadDiscarded } from '../../src/projecting/parking/discarded.ts';
import { createProgressTracker, type ProgressTracker } from '../../src/projecting/progress/progressTracker.ts';
import { createProjector, type Projector } from '../../src/projecting/projector.ts';
import { createWrittenRows, type WrittenRows } from '../../src/projecting/writtenRows.ts';
import { createTestDatabase } from './database.ts';
import { partitionedSource } from './partitionedSource.ts';

export const quiet = pino({ level: 'silent' });

/** Decodes nothing. Tests that are not about sealing need no keys. */
export const asIs = (events: readonly RecordedEvent[]): Promise<RecordedEvent[]> => Promise.resolve([...events]);

/** An event log and a database for read models, both empty. */
export interface ProjectingTest extends AsyncDisposable {
  readonly pool: pg.Pool;
  readonly url: string;
  readonly store: EventStore;
  /** Appends events to one stream. Returns the position of the last one. */
  append(stream: string, ...events: readonly ReelStreamEvent[]): Promise<bigint>;
  /** The options for the engine's functions, with this consumer. */
  of(consumer: Consumer): {
    pool: pg.Pool;
    consumer: Consumer;
    schema: string;
    logId: () => Promise<string | null>;
    decode: typeof asIs;
    discarded: ReadDiscarded;
    store: EventStore;
    logger: typeof quiet;
  };
  /** All rows of a consumer's own tables, in a stable order. */
  rows(schema: string): Promise<Record<string, unknown[]>>;
  /**
   * Runs consumers directly from the store until `stop`. Writes rows through the pool `rows` if it is given. With
   * `partitions`, in the layout that Kafka has. `written` gets the rows that answers show.
   */
  run(
    consumers: readonly Consumer[],
    options?: {
      progress?: ProgressTracker;
      rows?: pg.Pool;
      logger?: Logger;
      partitions?: number;
      written?: WrittenRows;
    },
  ): Promise<RunningProjector>;
}

export interface RunningProjector {
  readonly projector: Projector;
  readonly progress: ProgressTracker;
  /** Fails the test when the consumer does not reach the position within thirty seconds. */
  reached(consumer: string, position: bigint): Promise<void>;
  stop(): Promise<void>;
}

export async function createProjectingTest(): Promise<ProjectingTest> {
  const database = await createTestDatabase();
  const { pool, url } = database;
  const store = createPostgresEventStore({ pool, logger: quiet });
  const running = new Set<RunningProjector>();

  async function run(
    consumers: readonly Consumer[],
    {
      progress = createProgressTracker(),
      rows = pool,
      logger = quiet as Logger,
      partitions = 1,
      written = createWrittenRows(),
    } = {},
  ): Promise<RunningProjector> {
    const direct = createDirectSource({ store, logger: quiet });
    const source = partitions === 1 ? direct : partitionedSource(direct, partitions);
    const projector = createProjector({
      pool: rows,
      store,
      decode: asIs,
      discarded: discardedEvents(store),
      source,
      consumers,
      logger,
      written,
      onMoved: progress.moved,
    });
    const handle: RunningProjector = {
      projector,
      progress,
      async reached(consumer, position) {
        if (!(await progress.waitFor(consumer, position, { timeoutMs: 30_000 }))) {
          throw new Error(
            `${consumer} is at ${progress.position(consumer)}, not at ${position}: ${JSON.stringify(projector.states())}`,
          );
        }
      },
      async stop() {
        running.delete(handle);
        await projector.stop();
        await source.close();
      },
    };
    running.add(handle);
    await projector.start();
    return handle;
  }

  return {
    pool,
    url,
    store,
    run,
    of: (consumer) => ({
      pool,
      consumer,
      schema: consumer.name,
      logId: createLogId(store),
      decode: asIs,
      discarded: discardedEvents(store),
      store,
      logger: quiet,
    }),
    async append(stream, ...events) {
      const recorded = events.map(({ type, data }) => ({
        id: randomUUID(),
        type,
        data,
        metadata: { correlationId: 'test', schemaVersion: 1 },
      }));
      return (await store.append(stream, recorded, 'any')).position;
    },
    rows: (schema) => rowsOf(pool, schema),
    [Symbol.asyncDispose]: async () => {
      for (const handle of running) await handle.stop();
      await store.close();
      await database[Symbol.asyncDispose]();
    },
  };
}

export async function rowsOf(pool: pg.Pool, schema: string): Promise<Record<string, unknown[]>> {
  const { rows: tables } = await pool.query<{ name: string }>(
    'select tablename as name from pg_tables where schemaname = $1 and not tablename = any($2) order by 1',
    [schema, bookkeepingTables],
  );
  const found: Record<string, unknown[]> = {};
  for (const { name } of tables) {
    const { rows } = await pool.query<{ row: unknown }>(
      `select to_jsonb(t) as row from "${schema}"."${name}" t order by to_jsonb(t)::text`,
    );
    found[name] = rows.map(({ row }) => row);
  }
  return found;
}
