import { queryOptions, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { ApiError } from '../../../api/apiError.ts';
import { reread } from '../../../api/queryClient.ts';
import { sawPosition } from '../../../live/seenPosition.ts';
import { useCalmly } from '../../../live/useCalmly.ts';
import { useLiveEvents } from '../../../live/useLiveEvents.ts';
import { readCsv, readSummary, type Question } from './analyticsApi.ts';
import { parseCsv, withEmptyDays, type DayNumbers } from './dayNumbers.ts';
import { rangeBefore } from './range.ts';

export interface Report {
  readonly question: Question;
  /** One for each day of the range. */
  readonly days: readonly DayNumbers[];
  /** As many days before it. */
  readonly before: readonly DayNumbers[];
  readonly topVideos: readonly TopVideo[];
  /** The name of the rule that says which views count. */
  readonly rule: string;
  /** The last event that counts, as of a moment. */
  readonly position: string | undefined;
}

export interface TopVideo {
  readonly id: string;
  readonly title: string;
  readonly viewCount: number;
  readonly likeCount: number;
}

/** Milliseconds from an event until the numbers of now are read again. */
const CALM = 3_000;

function reportQuery(question: Question | undefined) {
  return queryOptions({
    queryKey: ['analytics', 'report', question ?? null],
    enabled: question !== undefined,
    // The numbers of a past moment are final.
    staleTime: question?.asOf === undefined ? 5_000 : Infinity,
    gcTime: 60_000,
    queryFn: ({ signal }) => readReport(question!, signal),
    refetchInterval: ({ state: { error } }) =>
      error instanceof ApiError && error.isPassing ? (error.retryAfter ?? 4) * 1_000 : false,
  });
}

async function readReport(question: Question, signal: AbortSignal): Promise<Report> {
  const before = rangeBefore(question);
  // Two questions, because no one answer has both: the top videos are those of the range alone, and the days are those of twice the
  // range, with the uploads of each, which only the file has.
  const [{ data, meta }, csv] = await Promise.all([
    readSummary(question, signal),
    readCsv({ ...question, from: before.from }, signal),
  ]);
  const rows = parseCsv(csv);
  return {
    question,
    days: withEmptyDays(rows, question),
    before: withEmptyDays(rows, before),
    topVideos: data.topVideos,
    rule: meta?.rule ?? 'counted',
    position: meta?.position,
  };
}

/** The day of the first upload that became ready; null when there is none yet. */
export function firstDayQuery() {
  return queryOptions({
    queryKey: ['analytics', 'firstDay'],
    queryFn: async ({ signal }) =>
      parseCsv(await readCsv(undefined, signal))
        .keys()
        .next().value ?? null,
  });
}

export interface Numbers {
  /** The last answer, also while the next one is on its way. */
  readonly report: Report | undefined;
  readonly isLoading: boolean;
  /** Why there is no newer answer, also while it is asked for again. */
  readonly error: Error | null;
  readonly retry: () => void;
}

/**
 * The numbers of the user's videos. A question that was overtaken by another is cancelled. The numbers of now follow what
 * happens.
 */
export function useNumbers(question: Question | undefined): Numbers {
  const { data, failureReason, isFetching, refetch } = useQuery(reportQuery(question));
  const [last, setLast] = useState(data);
  if (data !== undefined && data !== last) setLast(data);
  useNews(question !== undefined && question.asOf === undefined);
  return { report: data ?? last, error: failureReason, isLoading: isFetching, retry: () => void refetch() };
}

function useNews(listening: boolean): void {
  const readAgain = useCalmly(() => {
    const isOfNow = (key: readonly unknown[]): boolean => (key[2] as Question | null)?.asOf === undefined;
    void reread({ queryKey: ['analytics', 'report'], predicate: ({ queryKey }) => isOfNow(queryKey) });
  }, CALM);
  const readSince = (position: string): void => {
    sawPosition(position);
    readAgain();
  };
  useLiveEvents(
    listening ? ['me'] : [],
    ({ type, position }) => {
      if (type.startsWith('Video')) readSince(position);
    },
    readSince,
  );
}
