import type { Decider } from '../../core/decider.ts';
import { DomainError } from '../../core/errors.ts';
import type { ReportsDismissed, VideoReported } from './events.ts';

/** The caller has checked that the reporter may see the video. */
export type ReportVideo = { readonly type: 'ReportVideo' } & VideoReported['data'];

/** The report of one user on one video; null until there is one. */
export type ReportState = VideoReported['data'] | null;

/** A user reports a video once: a repeat, also with another reason, changes nothing. */
export const reportDecider: Decider<ReportVideo, VideoReported, ReportState> = {
  initialState: null,
  decide({ type: _, ...data }, report) {
    if (data.reporterId === data.ownerId)
      throw new DomainError('conflict', 'own_video', 'You cannot report your own video.');
    return report === null ? [{ type: 'VideoReported', data }] : [];
  },
  evolve: (_state, { data }) => data,
};

export function reportStream(videoId: string, reporterId: string): string {
  return `report-${videoId}_${reporterId}`;
}

/** `reports`: how many reports the video has now. */
export type DismissReports = { readonly type: 'DismissReports' } & ReportsDismissed['data'];

/** How many reports a video had when they were dismissed last. */
export interface DismissedState {
  readonly reports: number;
}

export const dismissalDecider: Decider<DismissReports, ReportsDismissed, DismissedState> = {
  initialState: { reports: 0 },
  /** Without a report since the last time, nothing changes. */
  decide: ({ type: _, ...data }, { reports }) => (data.reports > reports ? [{ type: 'ReportsDismissed', data }] : []),
  evolve: (_state, { data: { reports } }) => ({ reports }),
};

export function dismissalStream(videoId: string): string {
  return `reports-${videoId}`;
}
