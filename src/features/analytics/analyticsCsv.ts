import { dailyNumbers } from '../../../projections/analytics.ts';
import type { BytesReply } from '../../http/route.ts';
import type { DayNumbers } from './report.ts';

/** RFC 4180. */
export const CSV_TYPE = 'text/csv; charset=utf-8; header=present';

export const csvExample = `date,${dailyNumbers.join(',')}\r\n2025-07-14,${dailyNumbers.map((_, n) => 5 - 2 * n).join(',')}\r\n`;

export interface CsvQuestion {
  readonly startDate?: string | undefined;
  readonly endDate?: string | undefined;
  readonly asOf?: Date | undefined;
}

/** A file with one row for each day on which something happened. Nothing in it needs quotes: days and whole numbers. */
export function csvReply(days: readonly DayNumbers[], question: CsvQuestion): BytesReply {
  const rows = days
    .filter((day) => dailyNumbers.some((number) => (day[number] ?? 0) !== 0))
    .map((day) => [day.day, ...dailyNumbers.map((number) => day[number] ?? 0)]);
  const lines = [['date', ...dailyNumbers], ...rows].map((fields) => `${fields.join(',')}\r\n`);
  return {
    status: 200,
    bytes: Buffer.from(lines.join('')),
    contentType: CSV_TYPE,
    headers: { 'Cache-Control': 'no-store', 'Content-Disposition': `attachment; filename="${fileName(question)}"` },
  };
}

/** Says what is in the file. Without colons, which file names on Windows cannot have. */
function fileName({ startDate, endDate, asOf }: CsvQuestion): string {
  const parts = ['analytics'];
  if (startDate !== undefined) parts.push('from', startDate);
  if (endDate !== undefined) parts.push('to', endDate);
  if (asOf !== undefined) parts.push('as-of', asOf.toISOString().replaceAll(':', ''));
  return `${parts.join('-')}.csv`;
}
