import { answerOf, api } from '../../../api/client.ts';
import type { OperatorSearch } from '../search.ts';

export interface LogEvent {
  /** A whole number as text. */
  readonly position: string;
  readonly id: string;
  readonly stream: string;
  readonly revision: number;
  readonly type: string;
  readonly time: string;
  readonly data: Readonly<Record<string, unknown>> | null;
  readonly metadata: {
    readonly correlationId?: string | undefined;
    readonly causationId?: string | undefined;
    readonly actor?: string | undefined;
    readonly schemaVersion?: number | undefined;
  };
}

export type LogFilter = Pick<OperatorSearch, 'type' | 'category' | 'stream' | 'correlationId'>;

/** As the server filters: for events that arrive live. */
export function passes({ type, stream, metadata }: LogEvent, filter: LogFilter): boolean {
  const types = filter.type?.split(',').map((each) => each.trim());
  return (
    (types === undefined || types.includes(type)) &&
    (filter.stream === undefined || filter.stream === stream) &&
    (filter.category === undefined || stream.startsWith(`${filter.category}-`)) &&
    (filter.correlationId === undefined || filter.correlationId === metadata.correlationId)
  );
}

interface Query extends LogFilter {
  readonly after?: string;
  readonly limit?: number;
  readonly since?: string;
  readonly until?: string;
}

export async function readPage(query: Query, signal?: AbortSignal) {
  const { data, meta } = await answerOf(
    api.GET('/api/v1/admin/events', { params: { query }, ...(signal && { signal }) }),
  );
  return { events: data as LogEvent[], nextAfter: meta!.nextAfter, head: meta!.head };
}

export async function readHead(signal?: AbortSignal): Promise<bigint> {
  return BigInt((await readPage({ limit: 1 }, signal)).head);
}

export interface OlderEvents {
  /** The newest first. */
  readonly events: readonly LogEvent[];
  /** There are none before them. */
  readonly isAll: boolean;
}

/** A page that is worth showing. */
const ENOUGH = 50;
/** Positions that are looked at first. With a filter, or in a log whose positions have gaps, the reader goes further back. */
const FIRST_STEP = 200n;
const FURTHER = 8n;

/** The events before a position. The server reads only forwards, so this begins some way back and reads up to the position. */
export async function readBefore(filter: LogFilter, before: bigint, signal?: AbortSignal): Promise<OlderEvents> {
  for (let step = FIRST_STEP; ; step *= FURTHER) {
    const from = before - 1n - step;
    const events = await readRange(filter, from < 0n ? 0n : from, before, signal);
    const isAll = from <= 0n;
    if (isAll || events.length >= ENOUGH) return { events: events.reverse(), isAll };
  }
}

async function readRange(filter: LogFilter, after: bigint, before: bigint, signal?: AbortSignal): Promise<LogEvent[]> {
  const found: LogEvent[] = [];
  let next: string | null = String(after);
  while (next !== null && BigInt(next) < before - 1n) {
    const page = await readPage({ ...filter, after: next, limit: 1_000 }, signal);
    found.push(...page.events.filter(({ position }) => BigInt(position) < before));
    next = page.nextAfter;
  }
  return found;
}

export async function readEvent(position: string, signal?: AbortSignal): Promise<LogEvent | undefined> {
  const { events } = await readPage({ after: String(BigInt(position) - 1n), limit: 1 }, signal);
  return events[0]?.position === position ? events[0] : undefined;
}

const HOUR_MS = 3_600_000;

/** All that one request has caused: within an hour before the event and a day after it. */
export async function readCorrelated({ time, metadata }: LogEvent, signal?: AbortSignal): Promise<LogEvent[]> {
  const { correlationId } = metadata;
  if (correlationId === undefined) return [];
  const at = Date.parse(time);
  const since = new Date(at - HOUR_MS).toISOString();
  const until = new Date(at + 24 * HOUR_MS).toISOString();
  const found: LogEvent[] = [];
  let after: string | null = '0';
  while (after !== null) {
    const page = await readPage({ correlationId, since, until, after, limit: 1_000 }, signal);
    found.push(...page.events);
    after = page.nextAfter;
  }
  return found;
}
