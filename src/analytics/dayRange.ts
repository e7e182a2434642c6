import { DomainError, type FieldMessage } from '../core/errors.ts';

/** Days in UTC, `YYYY-MM-DD`, both ends included. */
export interface DayRange {
  readonly start: string;
  readonly end: string;
}

const FIRST_DAY = '0001-01-01';
const LAST_DAY = '9999-12-31';

/**
 * The days that a caller asks about. An end that is not named is open, as it was in the seed system, whose profile page
 * asks for everything by naming neither. A day past its month's end (31 February) means the month's last day.
 * @throws DomainError `invalid` for anything else that is not a day, and when the start is after the end.
 */
export function dayRange(asked: { readonly startDate?: string | undefined; readonly endDate?: string | undefined }): DayRange {
  const malformed: FieldMessage[] = [];
  const read = (path: 'startDate' | 'endDate', open: string): string => {
    const day = parseDay(asked[path] ?? open);
    if (day === undefined) malformed.push({ path, message: 'must be a day like 2025-01-31' });
    return day ?? open;
  };
  const start = read('startDate', FIRST_DAY);
  const end = read('endDate', LAST_DAY);
  if (malformed.length > 0) throw new DomainError('invalid', 'validation_failed', 'A date could not be read.', { fields: malformed });
  if (start > end) {
    throw new DomainError('invalid', 'validation_failed', 'The range begins after its end.', {
      fields: [{ path: 'startDate', message: `must not be after ${end}, the end of the range` }],
    });
  }
  return { start, end };
}

function parseDay(text: string): string | undefined {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (match === null) return undefined;
  const [year, month, day] = match.slice(1).map(Number) as [number, number, number];
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > 31) return undefined;
  const last = lastDayOf(year, month);
  return `${match[1]}-${match[2]}-${String(Math.min(day, last)).padStart(2, '0')}`;
}

function lastDayOf(year: number, month: number): number {
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return month === 2 ? (leap ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31;
}
