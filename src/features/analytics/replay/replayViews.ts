import { dayOf, type ViewRule } from '../../../../projections/viewRule.ts';
import type { RecordedEvent } from '../../../core/event.ts';
import type { EventStore } from '../../../core/eventStore.ts';
import type { VideoViewed } from '../../views/index.ts';
import type { DayRange } from '../dayRange.ts';
import { createKeySet } from './keySet.ts';

export interface ReplayOptions {
  /** With decoded events. */
  readonly store: Pick<EventStore, 'readAll' | 'head'>;
  /** No two with the same name. */
  readonly rules: readonly ViewRule[];
  readonly range: DayRange;
  /** Views of this user's videos alone. */
  readonly ownerId?: string | undefined;
  /** Views of this video alone. */
  readonly videoId?: string | undefined;
  readonly signal?: AbortSignal;
  onProgress?(progress: { readonly position: bigint; readonly head: bigint }): void;
}

/** Numbers of views, keyed by the names of the rules, in the order in which the rules were given. */
export type ByRule = Readonly<Record<string, number>>;

interface Compared {
  readonly views: ByRule;
  /** The views under each other rule less those under the first. */
  readonly difference: ByRule;
}

export interface ReplayedDay extends Compared {
  /** `YYYY-MM-DD`, UTC. */
  readonly date: string;
}

export interface Replay {
  readonly rules: readonly string[];
  /** In order. Days on which no rule counts a view are left out. */
  readonly days: readonly ReplayedDay[];
  readonly total: Compared;
  /** The end of the log when the replay began: later events are not counted. */
  readonly position: bigint;
}

/**
 * Counts the views of each day under several rules, from the log alone: what `analytics` would say if it had always counted
 * under that rule. Changes nothing. Reads all views of the log, because a view of any day may have been recorded late.
 * Throws the signal's reason when it aborts.
 */
export async function replayViews(options: ReplayOptions): Promise<Replay> {
  const { store, rules, range, ownerId, videoId, signal, onProgress } = options;
  const counters = rules.map(createCounter);
  const head = await store.head();
  const reading = { after: 0n, until: head, types: ['VideoViewed'], ...(signal && { signal }) };
  for await (const { events, position } of store.readAll(reading)) {
    for (const { data } of events as readonly RecordedEvent<VideoViewed>[]) {
      const day = dayOf(data);
      if (day < range.start || day > range.end) continue;
      if (ownerId !== undefined && data.ownerId !== ownerId) continue;
      if (videoId !== undefined && data.videoId !== videoId) continue;
      for (const counter of counters) counter.count(day, data);
    }
    onProgress?.({ position, head });
  }
  return { ...compare(rules, counters), position: head };
}

interface Counter {
  readonly byDay: ReadonlyMap<string, number>;
  count(day: string, view: VideoViewed['data']): void;
}

/** What it remembers: a number for each day, and for a rule with `oncePerDay` each key of each video and day. */
function createCounter({ counts, oncePerDay }: ViewRule): Counter {
  const byDay = new Map<string, number>();
  const seen = createKeySet();
  return {
    byDay,
    count(day, view) {
      if (counts?.(view) === false) return;
      if (oncePerDay !== undefined && !seen.add(`${view.videoId} ${day} ${oncePerDay(view)}`)) return;
      byDay.set(day, (byDay.get(day) ?? 0) + 1);
    },
  };
}

function compare(rules: readonly ViewRule[], counters: readonly Counter[]): Omit<Replay, 'position'> {
  const names = rules.map(({ name }) => name);
  const compared = (numberOf: (counter: Counter) => number): Compared => {
    const numbers = counters.map(numberOf);
    const views = Object.fromEntries(names.map((name, n) => [name, numbers[n]!]));
    const difference = Object.fromEntries(names.slice(1).map((name) => [name, views[name]! - numbers[0]!]));
    return { views, difference };
  };
  const dates = [...new Set(counters.flatMap(({ byDay }) => [...byDay.keys()]))].toSorted();
  return {
    rules: names,
    days: dates.map((date) => ({ date, ...compared(({ byDay }) => byDay.get(date) ?? 0) })),
    total: compared(({ byDay }) => [...byDay.values()].reduce((sum, one) => sum + one, 0)),
  };
}
