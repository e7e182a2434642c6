const whole = new Intl.NumberFormat('en');
const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });
const percent = new Intl.NumberFormat('en', { style: 'percent', maximumFractionDigits: 1 });
const day = new Intl.DateTimeFormat('en', { day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' });
const shortDay = new Intl.DateTimeFormat('en', { day: 'numeric', month: 'short', timeZone: 'UTC' });
const moment = new Intl.DateTimeFormat('en', {
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
});
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });

export const MS_PER_DAY = 86_400_000;

/** Such as 12,345. */
export function formatCount(count: number): string {
  return whole.format(count);
}

/** Such as 12.3K, for places with little room. */
export function formatShortCount(count: number): string {
  return compact.format(count);
}

/** @param share 0.5 for 50 % */
export function formatPercent(share: number): string {
  return percent.format(share);
}

/** A day in UTC. @param date `YYYY-MM-DD` */
export function formatDay(date: string): string {
  return day.format(new Date(date));
}

export function formatShortDay(date: string): string {
  return shortDay.format(new Date(date));
}

/** To the second, in the time zone of the reader. */
export function formatMoment(time: string | Date): string {
  return moment.format(new Date(time));
}

/** Such as 1:05. @param seconds of a video */
export function formatDuration(seconds: number): string {
  const rounded = Math.round(seconds);
  return `${Math.floor(rounded / 60)}:${String(rounded % 60).padStart(2, '0')}`;
}

/** Such as "3 days ago". */
export function formatAgo(time: string | Date, now = Date.now()): string {
  const seconds = (new Date(time).getTime() - now) / 1_000;
  const units = [
    ['year', 31_536_000],
    ['month', 2_592_000],
    ['day', 86_400],
    ['hour', 3_600],
    ['minute', 60],
  ] as const;
  const [unit, length] = units.find(([, length]) => Math.abs(seconds) >= length) ?? ['second', 1];
  return relative.format(Math.trunc(seconds / length), unit);
}

/** The day in UTC, `YYYY-MM-DD`, as the server counts days. */
export function dayOf(time: Date | number): string {
  return new Date(time).toISOString().slice(0, 10);
}

/** Days in UTC, both ends included. */
export function daysBetween(start: string, end: string): string[] {
  const days: string[] = [];
  for (let time = Date.parse(start); time <= Date.parse(end); time += MS_PER_DAY) days.push(dayOf(time));
  return days;
}

const oneDecimal = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

/** Such as 1.2 MB. */
export function formatBytes(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(bytes) / 3));
  return `${oneDecimal.format(bytes / 1_000 ** power)} ${UNITS[power]}`;
}

/** Such as 350 ms or 1.2 s. */
export function formatMs(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${oneDecimal.format(ms / 1_000)} s`;
}
