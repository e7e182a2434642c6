import type pg from 'pg';
import type { Consumer } from '../consumer.ts';
import { discardParked } from './discard.ts';
import { listParked, type PageOfParked, type ParkedEvent, type ParkedPage } from './parkedEvents.ts';
import type { Retried, RetryOptions } from './parkedStream.ts';
import { unknownConsumer } from './refusals.ts';
import { retryParked } from './retry.ts';

/** The parked events of the projections and subscribers that this process can apply, by their names. */
export interface ParkedEvents {
  /** @throws DomainError `projection_unknown` */
  list(name: string, page: PageOfParked): Promise<ParkedPage>;
  /** `retryParked` */
  retry(name: string, id: string): Promise<Retried>;
  /** `discardParked` */
  discard(name: string, id: string, record: (event: ParkedEvent) => Promise<void>): Promise<Retried>;
}

export interface ParkedEventsOptions extends Omit<RetryOptions, 'consumer'> {
  readonly pool: pg.Pool;
  readonly consumers: readonly Consumer[];
}

export function createParkedEvents({ consumers, ...options }: ParkedEventsOptions): ParkedEvents {
  const byName = new Map(consumers.map((consumer) => [consumer.name, consumer]));

  function consumerOf(name: string): Consumer {
    const consumer = byName.get(name);
    if (consumer === undefined) throw unknownConsumer(name, [...byName.keys()]);
    return consumer;
  }

  return {
    list: async (name, page) => listParked(options.pool, consumerOf(name), page),
    retry: async (name, id) => retryParked({ ...options, consumer: consumerOf(name) }, id),
    discard: async (name, id, record) => discardParked({ ...options, consumer: consumerOf(name) }, id, record),
  };
}
