import type pg from 'pg';
import type { Logger } from 'pino';
import { DomainError } from '../core/errors.ts';
import type { EventCodec } from '../core/eventCodec.ts';
import type { EventStore } from '../core/eventStore.ts';
import { install } from './checkpoints.ts';
import type { Consumer } from './consumer.ts';
import { createLogId } from '../core/logId.ts';
import { discardParked, listParked, retryParked, type ParkedEvent } from './parking/parked.ts';
import { rebuild, RebuildUnderWay, type RebuildProgress } from './rebuilding/rebuild.ts';
import { consumerStatus, type ConsumerStatus } from './status.ts';
import { verify, type Verification } from './rebuilding/verify.ts';

export interface ProjectionAdminOptions {
  readonly pool: pg.Pool;
  /** Undecoded, as `decode` will have it. */
  readonly store: EventStore;
  readonly decode: EventCodec['decode'];
  readonly consumers: readonly Consumer[];
  readonly log: Logger;
}

/**
 * What an operator can ask and do, from any process, while the consumers run in others.
 * Every name that is not a consumer's is refused with `projection_not_found`.
 */
export interface ProjectionAdmin {
  readonly names: readonly string[];
  list(): Promise<ConsumerStatus[]>;
  status(name: string): Promise<ConsumerStatus>;
  /** Ends when the new rows are in place. @throws DomainError `rebuild_under_way` */
  rebuild(
    name: string,
    options?: { signal?: AbortSignal; onProgress?: (progress: RebuildProgress) => void },
  ): Promise<void>;
  verify(
    name: string,
    options?: { signal?: AbortSignal; onProgress?: (progress: { position: bigint; until: bigint }) => void },
  ): Promise<Verification>;
  parked(name: string): Promise<ParkedEvent[]>;
  /** Answers how many of the stream's events are still parked. */
  retry(name: string, stream: string): Promise<number>;
  /** @throws DomainError `parked_event_not_found` */
  discard(name: string, position: bigint): Promise<void>;
}

export function createProjectionAdmin({
  pool,
  store,
  decode,
  consumers,
  log,
}: ProjectionAdminOptions): ProjectionAdmin {
  const logId = createLogId(store);

  function find(name: string): Consumer {
    const consumer = consumers.find((each) => each.name === name);
    if (consumer !== undefined) return consumer;
    throw new DomainError(
      'notFound',
      'projection_not_found',
      `There is no projection "${name}"; there are ${consumers.map((each) => each.name).join(', ')}.`,
    );
  }
  /** There may have been no start yet that created its tables. */
  async function about(name: string) {
    const consumer = find(name);
    await install(pool, consumer, name);
    return { pool, store, decode, logId, log, consumer, schema: name };
  }
  const status = (name: string): Promise<ConsumerStatus> => consumerStatus({ pool, store }, find(name));

  return {
    names: consumers.map(({ name }) => name),
    list: () => Promise.all(consumers.map(({ name }) => status(name))),
    status: async (name) => status(name),
    async rebuild(name, options) {
      try {
        await rebuild({ ...(await about(name)), ...options });
      } catch (error) {
        if (!(error instanceof RebuildUnderWay)) throw error;
        throw new DomainError('conflict', 'rebuild_under_way', `A rebuild of "${name}" is under way already.`, {
          cause: error,
        });
      }
    },
    verify: async (name, options) => verify({ ...(await about(name)), ...options }),
    parked: async (name) => listParked(pool, (await about(name)).schema),
    retry: async (name, stream) => retryParked(await about(name), stream),
    discard: async (name, position) => discardParked(pool, (await about(name)).schema, position),
  };
}
