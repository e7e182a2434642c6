import { answerOf, api } from '../../../api/client.ts';
import { notOlderThanSeen } from '../../../live/seenPosition.ts';
import type { Range } from './range.ts';

export interface Question extends Range {
  readonly videoId?: string | undefined;
  readonly asOf?: string | undefined;
}

/** Totals, top videos and what the numbers mean. */
export async function readSummary(question: Question, signal?: AbortSignal) {
  const body = await answerOf(
    api.GET('/api/v1/analytics', { params: { query: queryOf(question), header: notOlderThanSeen() }, signal }),
  );
  // Without `Accept: text/csv` it is never the file.
  return body as Exclude<typeof body, string>;
}

/** A file with one row for each day on which something happened. Without a question: of all days. */
export async function readCsv(question?: Question, signal?: AbortSignal): Promise<string> {
  const body = await answerOf(
    api.GET('/api/v1/analytics', {
      params: { query: question === undefined ? {} : queryOf(question), header: notOlderThanSeen() },
      headers: { Accept: 'text/csv' },
      parseAs: 'text',
      signal,
    }),
  );
  return body as string;
}

function queryOf({ from, to, videoId, asOf }: Question) {
  return {
    startDate: from,
    endDate: to,
    ...(videoId !== undefined && { videoId }),
    ...(asOf !== undefined && { asOf }),
  };
}
