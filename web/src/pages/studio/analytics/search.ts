/** The numbers that a day has, as the API names them. */
export const numbers = ['views', 'likes', 'uploads'] as const;
export type NumberName = (typeof numbers)[number];

export const presets = ['7d', '28d', '90d', '365d', 'all'] as const;
export type Preset = (typeof presets)[number];

/** Everything that the page shows is in its address, so that it can be shared, and the back button works. */
export interface AnalyticsSearch {
  /** 28 days by default. `from` and `to` take precedence. */
  readonly range?: Preset | undefined;
  /** Days in UTC, `YYYY-MM-DD`, both included. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly videoId?: string | undefined;
  /** A moment in the past, in UTC. */
  readonly asOf?: string | undefined;
  /** The number whose events are shown: this one, of this day. */
  readonly number?: NumberName | undefined;
  readonly day?: string | undefined;
}

/** What the page can show: days that somebody means, and not too many for a chart. */
export const FIRST_DAY = '2000-01-01';
export const LAST_DAY = '2099-12-31';

const DAY = /^\d{4}-\d{2}-\d{2}$/;
const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;

export function analyticsSearch(search: Record<string, unknown>): AnalyticsSearch {
  const { from, to, videoId, asOf, day } = search;
  const range = presets.find((preset) => preset === search['range']);
  const number = numbers.find((name) => name === search['number']);
  const isRange = isDay(from) && isDay(to) && from <= to;
  return {
    ...(isRange ? { from, to } : range !== undefined && { range }),
    ...(typeof videoId === 'string' && UUID.test(videoId) && { videoId }),
    ...(isMoment(asOf) && { asOf: new Date(asOf).toISOString() }),
    ...(number !== undefined && isDay(day) && { number, day }),
  };
}

function isDay(value: unknown): value is string {
  return isMoment(value) && DAY.test(value);
}

function isMoment(value: unknown): value is string {
  return (
    typeof value === 'string' && Date.parse(FIRST_DAY) <= Date.parse(value) && Date.parse(value) <= Date.parse(LAST_DAY)
  );
}
