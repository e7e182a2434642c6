import { sql } from 'kysely';
import type { RecordedEvent } from '../../core/event.ts';
import { UnknownUserKey, WrongMasterKey } from '../../core/userKeys.ts';
import { EventStoreUnavailable } from '../../core/eventStore.ts';
import { isOutage } from '../../postgres/outage.ts';
import type { ConsumerTransaction } from '../consumer.ts';
import { OlderThanTheLog } from '../decoding.ts';
import { recordset } from '../tables/recordset.ts';
import { int8, integer, text, uuid } from '../tables/table.ts';

/** Longer messages of errors are cut. */
const LONGEST_ERROR = 500;

/**
 * Whether the cause of an error is not the event: a server is unavailable, tables or keys are missing, the program is
 * older than the log. Parking would park every event that comes; the engine tries again until the cause is fixed.
 */
export function isEnvironmental(error: unknown): boolean {
  if (isOutage(error) || environmentalErrors.some((kind) => error instanceof kind)) return true;
  return brokenSchema.has((error as { code?: string }).code ?? '');
}

const environmentalErrors = [EventStoreUnavailable, WrongMasterKey, UnknownUserKey, OlderThanTheLog];

/** SQLSTATE: undefined table, column or function, invalid schema name, insufficient privilege; a damaged database. */
const brokenSchema = new Set(['42P01', '42703', '42883', '3F000', '42501', 'XX000', 'XX001', 'XX002']);

/** Parks the events of streams that already have parked events, so that no stream is applied out of order. Returns the other events. */
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
 * Applies all events that can be applied. Halves a batch that fails until single events are left; parks those, and the
 * later events of their streams. Returns how many were parked.
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
      if (isEnvironmental(error)) throw error;
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

/**
 * Applies events of one stream in order, up to the first one that fails. Returns how many were applied, and the error of
 * the next one. Other events may be in the transaction; they stay.
 */
export async function applyUpToFailure(
  apply: (events: readonly RecordedEvent[]) => Promise<void>,
  events: readonly RecordedEvent[],
  transaction: Pick<ConsumerTransaction, 'client'>,
): Promise<{ applied: number; error?: string }> {
  const { client } = transaction;
  if (events.length === 0) return { applied: 0 };
  await client.query('savepoint attempt');
  try {
    await apply(events);
    await client.query('release savepoint attempt');
    return { applied: events.length };
  } catch (error) {
    if (isEnvironmental(error)) throw error;
    await client.query('rollback to savepoint attempt; release savepoint attempt');
    if (events.length === 1) return { applied: 0, error: describe(error) };
  }
  const half = Math.ceil(events.length / 2);
  const first = await applyUpToFailure(apply, events.slice(0, half), transaction);
  if (first.error !== undefined) return first;
  const second = await applyUpToFailure(apply, events.slice(half), transaction);
  return { ...second, applied: first.applied + second.applied };
}

/** The parts of an error that may be logged: errors of PostgreSQL also carry the failing row. */
export function loggable(error: unknown): object {
  if (!(error instanceof Error)) return { message: describe(error) };
  return { message: describe(error), code: (error as { code?: unknown }).code, stack: error.stack };
}

/** The message that is kept beside a parked event. The event itself stays in the log alone, so that forgetting its user affects it. */
function describe(error: unknown): string {
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
    from ${recordset({ position: int8, stream: text, revision: integer, id: uuid, type: text }, rows)}
  `.execute(db);
}
