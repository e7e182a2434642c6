import { dayOf, formatDay, MS_PER_DAY } from '../../../format.ts';
import type { AnalyticsSearch, Preset } from './search.ts';

/** Days in UTC, `YYYY-MM-DD`, both included. */
export interface Range {
  readonly from: string;
  readonly to: string;
}

export const presetLabels: Readonly<Record<Preset, string>> = {
  '7d': '7 days',
  '28d': '28 days',
  '90d': '90 days',
  '365d': 'Year',
  all: 'All time',
};

/** The range of `all` ends today also as of an earlier moment, so that the charts keep their place while time goes by. */
export function rangeOf({ range = '28d', from, to, asOf }: AnalyticsSearch, firstDay: string, now: number): Range {
  if (from !== undefined && to !== undefined) return { from, to };
  if (range === 'all') return { from: firstDay, to: dayOf(now) };
  const end = asOf === undefined ? now : Date.parse(asOf);
  return { from: dayOf(end - (Number.parseInt(range, 10) - 1) * MS_PER_DAY), to: dayOf(end) };
}

export function lengthOf({ from, to }: Range): number {
  return Math.round((Date.parse(to) - Date.parse(from)) / MS_PER_DAY) + 1;
}

/** As many days before it. */
export function rangeBefore(range: Range): Range {
  const shift = lengthOf(range) * MS_PER_DAY;
  return { from: dayOf(Date.parse(range.from) - shift), to: dayOf(Date.parse(range.from) - MS_PER_DAY) };
}

export function rangeInWords({ from, to }: Range): string {
  return from === to ? formatDay(from) : `${formatDay(from)} to ${formatDay(to)}`;
}
