import { validationFailed } from '../../core/errors.ts';

/** Days in UTC, `YYYY-MM-DD`, both ends included. */
export interface DayRange {
  readonly start: string;
  readonly end: string;
}

/** `YYYY-MM-DD`, of any month up to the 31st. */
export const DAY = /^(?!0000)\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$/;

const FIRST_DAY = '0001-01-01';
const LAST_DAY = '9999-12-31';

/**
 * The requested days, each of the form `DAY`. A missing start or end is open, as on the original server, whose profile
 * page sends neither. A day after the end of its month (31 February) means the month's last day.
 * @throws DomainError `validation_failed` when the start is after the end.
 */
export function dayRange({
  startDate = FIRST_DAY,
  endDate = LAST_DAY,
}: {
  readonly startDate?: string | undefined;
  readonly endDate?: string | undefined;
}): DayRange {
  const start = withinMonth(startDate);
  const end = withinMonth(endDate);
  if (start > end)
    throw validationFailed([
      { path: 'startDate', message: `startDate must not be after ${end}, the end of the range` },
    ]);
  return { start, end };
}

/** A day after the end of its month becomes the last day of the month. */
export function withinMonth(text: string): string {
  const [year = 0, month = 0, day = 0] = text.split('-').map(Number);
  return `${text.slice(0, 8)}${String(Math.min(day, lastDayOf(year, month))).padStart(2, '0')}`;
}

function lastDayOf(year: number, month: number): number {
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return month === 2 ? (leap ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31;
}
