import type { DomainEvent } from '../../core/event.ts';
import type { EventDefinitions } from '../../core/eventTypes.ts';

export const reportReasons = ['spam', 'violence', 'sexual', 'harassment', 'copyright', 'other'] as const;
export type ReportReason = (typeof reportReasons)[number];

/** Stream `report-<videoId>_<reporterId>`: one per pair, so that a user reports a video once. */
export type VideoReported = DomainEvent<
  'VideoReported',
  {
    readonly videoId: string;
    readonly ownerId: string;
    readonly reporterId: string;
    readonly reason: ReportReason;
    /** What the reporter wrote; null when they gave only the reason. Sealed under the reporter's key. */
    readonly text: string | null;
    readonly at: string;
  }
>;

/**
 * A moderator has decided that a video stays as it is, whatever was reported until now. Stream `reports-<videoId>`. What else
 * moderators decide is in the streams of the video and of its owner.
 */
export type ReportsDismissed = DomainEvent<
  'ReportsDismissed',
  {
    readonly videoId: string;
    readonly ownerId: string;
    /** How many reports the video had. */
    readonly reports: number;
    /** The id of the admin, or `command line`. */
    readonly by: string;
    /** Sealed under the key of the video's owner, whom it may describe. */
    readonly reason: string;
    readonly at: string;
  }
>;

export type ModerationEvent = VideoReported | ReportsDismissed;

export const moderationEventTypes = {
  VideoReported: {
    version: 1,
    personal: { subject: 'reporterId', fields: ['text'] },
    shown: { videoId: true, ownerId: true, reporterId: true, reason: true, text: false, at: true },
  },
  ReportsDismissed: {
    version: 1,
    personal: { subject: 'ownerId', fields: ['reason'] },
    shown: { videoId: true, ownerId: true, reports: true, by: true, reason: false, at: true },
  },
} as const satisfies EventDefinitions<ModerationEvent>;
