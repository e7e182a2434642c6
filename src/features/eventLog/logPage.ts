import { DomainError } from '../../core/errors.ts';
import type { ShownEvent } from '../../core/shownEvent.ts';
import type { ShownLog } from '../../core/shownLog.ts';
import type { LogFilter } from './logFilter.ts';
import { readLog } from './readLog.ts';

/** What one page may cost, so that it is answered soon, however rare the events are that it asks for. */
export interface PageLimits {
  /** Most events that are read. */
  readonly mostRead: number;
  /** Milliseconds after which no more are read. */
  readonly withinMs: number;
}

const LIMITS: PageLimits = { mostRead: 50_000, withinMs: 1_000 };
/** Short, so that other requests of the process get their turn. */
const BATCH_SIZE = 1_000;

export interface PageRequest {
  readonly after: bigint;
  readonly limit: number;
  readonly signal?: AbortSignal;
}

export interface LogPage {
  readonly events: readonly ShownEvent[];
  /** Where the next page begins; null when there are no more up to `head`, or none that can pass. */
  readonly nextAfter: bigint | null;
  /** Where the log ended when the page was read. */
  readonly head: bigint;
}

/** @throws DomainError `position_unknown` */
export async function readLogPage(
  log: ShownLog,
  filter: LogFilter,
  { after, limit, signal }: PageRequest,
  { mostRead, withinMs }: PageLimits = LIMITS,
): Promise<LogPage> {
  const head = await log.head();
  if (after > head) throw beyond(head);
  const deadline = performance.now() + withinMs;
  const unfiltered = Object.values(filter).every((each) => each === undefined);
  const batchSize = unfiltered ? limit : BATCH_SIZE;
  const events: ShownEvent[] = [];
  let left = mostRead;
  for await (const batch of readLog(log, filter, { after, to: head, batchSize, ...(signal && { signal }) })) {
    events.push(...batch.events.slice(0, limit - events.length));
    // A full page may have left events of the batch out.
    if (events.length === limit) return { events, nextAfter: before(head, events.at(-1)!.position), head };
    left -= batch.read;
    if (left <= 0 || performance.now() > deadline) return { events, nextAfter: before(head, batch.position), head };
  }
  return { events, nextAfter: null, head };
}

function before(head: bigint, position: bigint): bigint | null {
  return position < head ? position : null;
}

function beyond(head: bigint): DomainError {
  const message = `after must not be beyond the end of the log, which is ${head}`;
  return new DomainError('invalid', 'position_unknown', message, { fields: [{ path: 'after', message }] });
}
