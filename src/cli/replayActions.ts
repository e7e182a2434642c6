import type { EventStore } from '../core/eventStore.ts';
import { DomainError } from '../core/errors.ts';
import { DAY, replayQuestion, replayViews, type Replay } from '../features/analytics/index.ts';
import { UsageError } from './command.ts';
import { openLog, type OpenedLog } from './openLog.ts';
import { print, printJson, printTable } from './output.ts';
import { createProgressBar } from './progressBar.ts';

export interface ReplayAnalyticsOptions {
  readonly from: string;
  readonly to: string;
  readonly rule: readonly string[];
  readonly owner?: string | undefined;
  readonly video?: string | undefined;
  readonly format: 'table' | 'csv' | 'json';
}

export async function replayAnalytics(signal: AbortSignal, options: ReplayAnalyticsOptions): Promise<number> {
  const question = checked(options);
  await using opened = await openLog('replay', signal);
  const replay = await withProgress(opened, signal, { ...question, ownerId: options.owner, videoId: options.video });
  if (options.format === 'json') await printJson(replay);
  else if (options.format === 'csv') await print(csv(replay));
  else await table(replay);
  return 0;
}

function checked({ from, to, rule }: ReplayAnalyticsOptions): ReturnType<typeof replayQuestion> {
  for (const [name, day] of Object.entries({ from, to }))
    if (!DAY.test(day)) throw new UsageError(`--${name} must be a day like 2025-01-31; there is no ${day}.`);
  try {
    return replayQuestion({ from, to, rules: rule });
  } catch (error) {
    if (error instanceof DomainError) throw new UsageError(`${error.message}.`);
    throw error;
  }
}

async function withProgress(
  opened: OpenedLog,
  signal: AbortSignal,
  question: Omit<Parameters<typeof replayViews>[0], 'store' | 'signal' | 'onProgress'>,
): Promise<Replay> {
  using bar = createProgressBar();
  return await replayViews({
    ...question,
    store: decoded(opened),
    signal,
    onProgress: ({ position, head }) =>
      bar.show(head === 0n ? 1 : Number(position) / Number(head), `replayed ${position} of ${head}`),
  });
}

function decoded({ store, decode }: OpenedLog): Pick<EventStore, 'readAll' | 'head'> {
  return {
    head: () => store.head(),
    async *readAll(options) {
      for await (const { events, position } of store.readAll(options)) yield { events: await decode(events), position };
    },
  };
}

/** The day, and then each rule. Each but the first is followed by its difference to the first. */
function columnsOf({ rules }: Replay): string[] {
  return ['date', ...rules.flatMap((rule, n) => (n === 0 ? [rule] : [rule, `${rule} - ${rules[0]}`]))];
}

function numbersOf({ rules }: Replay, { views, difference }: Replay['total']): number[] {
  return rules.flatMap((rule, n) => (n === 0 ? [views[rule]!] : [views[rule]!, difference[rule]!]));
}

async function table(replay: Replay): Promise<void> {
  const rows = replay.days.map((day) => [day.date, ...numbersOf(replay, day)]);
  await printTable(columnsOf(replay), [...rows, ['total', ...numbersOf(replay, replay.total)]]);
}

/** Without a total, so that a sheet can make its own. */
function csv(replay: Replay): string {
  const rows = replay.days.map((day) => [day.date, ...numbersOf(replay, day)]);
  return [columnsOf(replay), ...rows].map((row) => `${row.join(',')}\r\n`).join('');
}
