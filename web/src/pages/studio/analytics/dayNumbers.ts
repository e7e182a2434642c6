import { daysBetween, formatCount, formatDay } from '../../../format.ts';
import type { Range } from './range.ts';
import { numbers, type NumberName } from './search.ts';

export type Counts = Readonly<Record<NumberName, number>>;
export type DayNumbers = Counts & { readonly day: string };

const NONE: Counts = { views: 0, likes: 0, uploads: 0 };

/** The rows of the CSV file of the API, which leaves out days on which nothing happened. */
export function parseCsv(csv: string): Map<string, DayNumbers> {
  const [head = '', ...lines] = csv.trim().split('\r\n');
  const columns = head.split(',');
  return new Map(
    lines.map((line) => {
      const fields = line.split(',');
      const valueOf = (name: string): string => fields[columns.indexOf(name)] ?? '';
      const day = valueOf('date');
      return [day, { day, ...(Object.fromEntries(numbers.map((name) => [name, Number(valueOf(name))])) as Counts) }];
    }),
  );
}

/** One for each day of the range. */
export function withEmptyDays(rows: ReadonlyMap<string, DayNumbers>, { from, to }: Range): DayNumbers[] {
  return daysBetween(from, to).map((day) => rows.get(day) ?? { day, ...NONE });
}

export function totalsOf(days: readonly DayNumbers[]): Counts {
  const total = (name: NumberName): number => days.reduce((sum, day) => sum + day[name], 0);
  return { views: total('views'), likes: total('likes'), uploads: total('uploads') };
}

/** Likes for each view, 0.5 for 50 %; null without views. */
export function engagementOf({ views, likes }: Counts): number | null {
  return views === 0 ? null : likes / views;
}

/** A chart in a sentence. */
export function summaryOf(days: readonly DayNumbers[], name: NumberName): string {
  const best = days.reduce<DayNumbers | undefined>(
    (most, day) => (day[name] > (most?.[name] ?? 0) ? day : most),
    undefined,
  );
  if (best === undefined) return `No ${name} ${days.length === 1 ? 'on this day' : `in these ${days.length} days`}.`;
  const busy = days.filter((day) => day[name] !== 0).length;
  const on = busy === days.length && busy > 1 ? `each of ${busy} days` : `${busy} of ${days.length} days`;
  return `On ${on}. Most on ${formatDay(best.day)}: ${formatCount(best[name])}.`;
}
