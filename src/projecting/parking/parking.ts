import { sql } from 'kysely';
import type { RecordedEvent } from '../../core/event.ts';
import { UnknownUserKey, WrongMasterKey } from '../../core/userKeys.ts';
import { EventStoreUnavailable } from '../../core/eventStore.ts';
import { isOutage } from '../../postgres/outage.ts';
import type { ConsumerTransaction } from '../consumer.ts';
import { OlderThanTheLog } from '../decoding.ts';
import { recordset } from '../recordset.ts';

/** What is kept of the message of an error. */
const LONGEST_ERROR = 500;

/**
 * Whether an error says nothing about the event: a server away, tables or keys that are missing, a program older than
 * the log. Parking would only spread the damage; what is right is to try again until it is mended.
 */
export function isNobodysFault(error: unknown): boolean {
  if (isOutage(error) || errorsOfTheSurroundings.some((kind) => error instanceof kind)) return true;
  return brokenSchema.has((error as { code?: string }).code ?? '');
}

const errorsOfTheSurroundings = [EventStoreUnavailable, WrongMasterKey, UnknownUserKey, OlderThanTheLog];

/** Undefined table, column or function, invalid schema name, insufficient privilege; a damaged database. */
const brokenSchema = new Set(['42P01', '42703', '42883', '3F000', '42501', 'XX000', 'XX001', 'XX002']);

/** Parks the events of streams that have parked events already, so that no stream is taken in out of order. Answers the others. */
export async function parkFollowers(
  events: readonly RecordedEvent[],
  transaction: ConsumerTransaction,
): Promise<RecordedEvent[]> {
  const { rows } = await transaction.client.query<{ stream: string }>('select distinct stream from parked_events');
  const blocked = new Set(rows.map(({ stream }) => stream));
  await park(
    events.filter(({ stream }) => blocked.has(stream)),
    'an earlier event of its stream is parked',
    0,
    transaction,
  );
  return events.filter(({ stream }) => !blocked.has(stream));
}

/**
 * Takes in all that can be taken in: halves what fails until single events are left, and parks those, and what follows
 * them in their streams. Answers how many were parked.
 */
export async function applyIsolating(
  apply: (events: readonly RecordedEvent[]) => Promise<void>,
  events: readonly RecordedEvent[],
  failures: number,
  transaction: ConsumerTransaction,
): Promise<number> {
  const { client } = transaction;
  const blocked = new Set<string>();
  let parked = 0;

  async function attempt(some: readonly RecordedEvent[]): Promise<void> {
    const followers = some.filter(({ stream }) => blocked.has(stream));
    if (followers.length > 0) {
      await park(followers, 'an earlier event of its stream is parked', 0, transaction);
      parked += followers.length;
    }
    const free = some.filter(({ stream }) => !blocked.has(stream));
    if (free.length === 0) return;
    await client.query('savepoint attempt');
    try {
      await apply(free);
      await client.query('release savepoint attempt');
      return;
    } catch (error) {
      if (isNobodysFault(error)) throw error;
      await client.query('rollback to savepoint attempt; release savepoint attempt');
      if (free.length === 1) {
        blocked.add(free[0]!.stream);
        await park(free, describe(error), failures + 1, transaction);
        parked++;
        return;
      }
    }
    const half = Math.ceil(free.length / 2);
    await attempt(free.slice(0, half));
    await attempt(free.slice(half));
  }

  await attempt(events);
  return parked;
}

/** What logs may have of an error: PostgreSQL's also carry the failing row. */
export function loggable(error: unknown): object {
  if (!(error instanceof Error)) return { message: describe(error) };
  return { message: describe(error), code: (error as { code?: unknown }).code, stack: error.stack };
}

/** As an operator sees it. The event itself stays in the log alone, where forgetting its user works on it. */
export function describe(error: unknown): string {
  return String(error instanceof Error ? error.message : error).slice(0, LONGEST_ERROR);
}

async function park(
  events: readonly RecordedEvent[],
  error: string,
  attempts: number,
  { db }: ConsumerTransaction,
): Promise<void> {
  if (events.length === 0) return;
  const rows = events.map(({ position, stream, revision, id, type }) => ({
    position: String(position),
    stream,
    revision,
    id,
    type,
  }));
  await sql`
    insert into parked_events (position, stream, revision, id, type, error, attempts)
    select position, stream, revision, id, type, ${error}, ${attempts}::int
    from ${recordset(rows, 'position int8, stream text, revision int, id uuid, type text')}
  `.execute(db);
}
