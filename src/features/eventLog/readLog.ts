import type { ShownEvent } from '../../core/shownEvent.ts';
import type { ShownBatch, ShownLog } from '../../core/shownLog.ts';
import { matcherOf, type LogFilter } from './logFilter.ts';

/** How much a server's clock may have been set back (ms). Within it, times need not rise with positions. */
const CLOCK_STEP_MS = 60_000;

export interface ReadLogOptions {
  /** Exclusive. */
  readonly after: bigint;
  /** Inclusive; not beyond the head. */
  readonly to: bigint;
  /** Most events to read from the store at a time. */
  readonly batchSize: number;
  readonly signal?: AbortSignal;
}

/** Events that pass the filter, up to and including `position`. */
export interface FilteredBatch extends ShownBatch {
  /** How many events were read to find them. */
  readonly read: number;
}

/**
 * The events in (after, to] that pass the filter, in the order of the log. A batch may be empty. It ends early when no
 * later event can pass.
 */
export async function* readLog(
  log: ShownLog,
  filter: LogFilter,
  options: ReadLogOptions,
): AsyncGenerator<FilteredBatch> {
  const { since, until } = filter;
  const matches = matcherOf(filter);
  const begin = since === undefined ? 0n : await log.positionBefore(new Date(since.getTime() - CLOCK_STEP_MS));
  const after = begin > options.after ? begin : options.after;
  if (after >= options.to) return;
  const read = filter.stream === undefined ? wholeLog : oneStream;
  for await (const { events, position } of read(log, filter, { ...options, after })) {
    yield { events: events.filter(matches), position, read: events.length };
    const last = events.at(-1);
    if (until !== undefined && last !== undefined && last.time.getTime() > until.getTime() + CLOCK_STEP_MS) return;
  }
}

function wholeLog(
  log: ShownLog,
  { types }: LogFilter,
  { after, to, batchSize, signal }: ReadLogOptions,
): AsyncIterable<ShownBatch> {
  return log.readAll({ after, until: to, batchSize, ...(types && { types }), ...(signal && { signal }) });
}

async function* oneStream(
  log: ShownLog,
  { stream }: LogFilter,
  { after, to, batchSize, signal }: ReadLogOptions,
): AsyncGenerator<ShownBatch> {
  const from = await revisionAfter(log, stream!, after);
  let events: ShownEvent[] = [];
  for await (const event of log.readStream(stream!, { from, ...(signal && { signal }) })) {
    if (event.position > to) break;
    events.push(event);
    if (events.length < batchSize) continue;
    yield { events, position: event.position };
    events = [];
  }
  yield { events, position: to };
}

/** The first revision of a stream after a position, found in a number of reads that grows with the logarithm of it. */
async function revisionAfter(log: ShownLog, stream: string, position: bigint): Promise<number> {
  const isAfter = async (revision: number): Promise<boolean> => {
    for await (const event of log.readStream(stream, { from: revision })) return event.position > position;
    return true;
  };
  if (position === 0n || (await isAfter(0))) return 0;
  // `low` is not after the position; `high` is.
  let [low, high] = [0, 1];
  while (!(await isAfter(high))) [low, high] = [high, high * 2];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (await isAfter(middle)) high = middle;
    else low = middle;
  }
  return high;
}
