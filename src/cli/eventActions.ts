import { z } from 'zod';
import { validationFailed } from '../core/errors.ts';
import type { ShownEvent } from '../core/shownEvent.ts';
import { createShownLog, type ShownBatch, type ShownLog } from '../core/shownLog.ts';
import { filterFields, logFilterOf, matcherOf, readLog, type LogFilter } from '../features/eventLog/index.ts';
import { eventTypes } from '../features/index.ts';
import { validate } from '../http/request/validate.ts';
import { jsonLines, readableLines } from './eventLines.ts';
import { openFileOutput, standardOutput, type LinesOutput, type Written } from './linesOutput.ts';
import { openLog } from './openLog.ts';
import { print } from './output.ts';
import { createProgressBar } from './progressBar.ts';

type FilterOptions = Partial<Record<keyof typeof filterFields, string>>;

export interface TailOptions extends FilterOptions {
  /** A position, or `beginning`. */
  readonly from?: string;
  readonly json?: true;
}

export interface ExportOptions extends FilterOptions {
  readonly after?: string;
  readonly to?: string;
}

/** Events that are read and written at a time. */
const BATCH_SIZE = 2_000;

/** Ends, without an error, when the signal aborts. */
export async function tail(signal: AbortSignal, { from, json, ...options }: TailOptions): Promise<number> {
  await using opened = await openShownLog(signal);
  const { log } = opened;
  const filter = filterOf(options, log);
  const after = from === undefined ? await log.head() : from === 'beginning' ? 0n : await positionOf(log, 'from', from);
  const matches = matcherOf(filter);
  const lines = json ? jsonLines : readableLines;
  const ofTypes = filter.types && { types: filter.types };
  for await (const { events } of log.subscribe({ after, ...ofTypes, signal })) {
    const shown = events.filter(matches);
    if (shown.length > 0) await print(lines(shown));
  }
  return 0;
}

export async function read(signal: AbortSignal, stream: string, json = false): Promise<number> {
  await using opened = await openShownLog(signal);
  const lines = json ? jsonLines : readableLines;
  let events: ShownEvent[] = [];
  let count = 0;
  for await (const event of opened.log.readStream(stream, { signal })) {
    events.push(event);
    count++;
    if (events.length < BATCH_SIZE) continue;
    await print(lines(events));
    events = [];
  }
  if (events.length > 0) await print(lines(events));
  if (count > 0) return 0;
  console.error(`There is no stream ${JSON.stringify(stream)}.`);
  return 1;
}

/** Says at the end, also at an early one, up to which position everything is written. */
export async function exportEvents(
  signal: AbortSignal,
  { after: from, to: file, ...options }: ExportOptions,
): Promise<number> {
  await using opened = await openShownLog(signal);
  const { log } = opened;
  const filter = filterOf(options, log);
  const after = from === undefined ? 0n : await positionOf(log, 'after', from);
  const to = await log.head();
  await using output = file === undefined ? standardOutput() : await openFileOutput(file);
  const written: Written = { count: 0, position: after };
  try {
    await writeEvents(
      readLog(log, filter, { after, to, batchSize: BATCH_SIZE, signal }),
      { after, to },
      output,
      written,
    );
    await output.complete();
  } catch (error) {
    const advice = output.interrupted(written);
    if (advice !== undefined) console.error(advice);
    throw error;
  }
  console.error(`${written.count} events, up to position ${to}.`);
  return 0;
}

async function writeEvents(
  batches: AsyncIterable<ShownBatch>,
  { after, to }: { readonly after: bigint; readonly to: bigint },
  output: LinesOutput,
  written: Written,
): Promise<void> {
  // On a terminal, the events themselves show the progress.
  using bar = output.isTerminal ? undefined : createProgressBar();
  for await (const { events, position } of batches) {
    if (events.length > 0) await output.write(jsonLines(events));
    written.count += events.length;
    written.position = position;
    const share = Number(position - after) / Number(to - after);
    bar?.show(share, `${written.count} events, position ${position} of ${to}`);
  }
}

async function openShownLog(signal: AbortSignal): Promise<AsyncDisposable & { readonly log: ShownLog }> {
  const opened = await openLog('events', signal);
  return { log: createShownLog(opened.store, eventTypes), [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose]() };
}

/** @throws DomainError as a request with these fields would */
function filterOf(options: FilterOptions, log: ShownLog): LogFilter {
  const schema = z.object(filterFields);
  const { query } = validate({ query: schema }, { params: undefined, query: options, body: undefined });
  return logFilterOf(query as z.infer<typeof schema>, log);
}

async function positionOf(log: ShownLog, option: string, text: string): Promise<bigint> {
  const head = await log.head();
  const position = /^\d{1,19}$/.test(text) ? BigInt(text) : undefined;
  if (position !== undefined && position <= head) return position;
  const message = `${option} must be a position of the log, which ends at ${head}`;
  throw validationFailed([{ path: option, message }]);
}
