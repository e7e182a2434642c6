import type { EventStore } from '../../core/eventStore.ts';
import { readState } from '../../core/readState.ts';
import { reportDecider, reportStream } from './decider.ts';
import type { Report } from './moderationQueries.ts';

/** A report as moderators see it. */
export interface ReportWithText extends Omit<Report, 'videoId'> {
  /** What the reporter wrote; null when they gave only the reason. */
  readonly text: string | null;
}

/** Reads from the log what the reporters wrote. */
export function withText(store: Pick<EventStore, 'readStream'>, reports: readonly Report[]): Promise<ReportWithText[]> {
  return Promise.all(
    reports.map(async ({ videoId, ...report }) => {
      const { state } = await readState(store, reportDecider, reportStream(videoId, report.reporterId));
      return { ...report, text: state?.text ?? null };
    }),
  );
}
