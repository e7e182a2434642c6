import type { Logger } from 'pino';
import type { CommandContext } from '../../core/commandContext.ts';
import { handleCommand, type CommandOutcome } from '../../core/commandHandler.ts';
import { DomainError } from '../../core/errors.ts';
import type { EventStore } from '../../core/eventStore.ts';
import { withTimeout } from '../../core/withTimeout.ts';
import { userDecider, userStream, type RegisteredUser, type UserEvent, type UserState } from '../accounts/index.ts';
import {
  handleVideoCommand,
  isSeenByOthers,
  readVideo,
  videoNotFound,
  type MoveFiles,
  type VideoEvent,
  type VideoState,
} from '../videos/index.ts';
import {
  dismissalDecider,
  dismissalStream,
  reportDecider,
  reportStream,
  type DismissedState,
  type ReportState,
} from './decider.ts';
import type { ReportReason, ReportsDismissed, VideoReported } from './events.ts';
import type { ModerationQueries } from './moderationQueries.ts';

type Store = Pick<EventStore, 'append' | 'readStream'>;

/** Who decides, and why. */
export interface Deciding {
  /** The id of the admin, or `command line`. */
  readonly by: string;
  readonly reason: string;
}

/**
 * Reports a video, once for each user.
 * @throws DomainError `video_not_found` also for a video that the reporter cannot see; `own_video`
 */
export async function reportVideo(
  store: Store,
  { videoId, ...report }: { videoId: string; reporterId: string; reason: ReportReason; text: string | null },
  context: CommandContext,
): Promise<CommandOutcome<VideoReported, ReportState>> {
  const { state } = await readVideo(store, videoId);
  const isSeen = state.status !== 'none' && (isSeenByOthers(state) || state.ownerId === report.reporterId);
  if (!isSeen || state.status === 'deleted') throw videoNotFound();
  const command = { type: 'ReportVideo', videoId, ownerId: state.ownerId, ...report, at: atOf(context) } as const;
  return handleCommand(store, reportDecider, reportStream(videoId, report.reporterId), command, context);
}

/**
 * Decides that the video stays as it is, whatever was reported until now. Nothing changes without a report since the last time.
 * @throws DomainError `video_not_found`, `no_reports`
 */
export async function dismissReports(
  { store, queries }: { readonly store: Store; readonly queries: Pick<ModerationQueries, 'caseOf'> },
  videoId: string,
  { by, reason }: Deciding,
  context: CommandContext,
): Promise<CommandOutcome<ReportsDismissed, DismissedState>> {
  const found = await queries.caseOf(videoId);
  if (found === undefined) throw videoNotFound();
  const { video, counts } = found;
  if (counts.total === 0) throw new DomainError('conflict', 'no_reports', 'Nobody has reported this video.');
  const data = { videoId, ownerId: video.uploadedBy, reports: counts.total, by, reason, at: atOf(context) };
  return handleCommand(
    store,
    dismissalDecider,
    dismissalStream(videoId),
    { type: 'DismissReports', ...data } as const,
    context,
  );
}

export const videoDecisions = { hide: 'HideVideo', restore: 'RestoreVideo', remove: 'RemoveVideo' } as const;
export type VideoDecision = keyof typeof videoDecisions;

/**
 * Hides a video from everyone but its owner, shows it again, or removes it for good. A repeat changes nothing.
 * @throws DomainError `video_not_found`, `video_removed`
 */
export function moderateVideo(
  store: Store,
  videoId: string,
  decision: VideoDecision,
  { by, reason }: Deciding,
  context: CommandContext,
): Promise<CommandOutcome<VideoEvent, VideoState>> {
  const command = { type: videoDecisions[decision], by, reason, at: atOf(context) } as const;
  return handleVideoCommand(store, videoId, command, context);
}

export const userDecisions = { suspend: 'SuspendUser', reinstate: 'ReinstateUser' } as const;
export type UserDecision = keyof typeof userDecisions;

export interface UserDecided extends CommandOutcome<UserEvent, UserState> {
  readonly user: RegisteredUser;
}

/**
 * Suspends a user, or ends the suspension. A repeat changes nothing.
 * @throws DomainError `account_unknown`, `own_account`
 */
export async function moderateUser(
  store: Store,
  userId: string,
  decision: UserDecision,
  { by, reason }: Deciding,
  context: CommandContext,
): Promise<UserDecided> {
  const command = { type: userDecisions[decision], userId, by, reason, at: atOf(context) } as const;
  const outcome = await handleCommand(store, userDecider, userStream(userId), command, context);
  // The decider refuses the command for every other state.
  return { ...outcome, user: outcome.state as RegisteredUser };
}

function atOf({ now }: CommandContext): string {
  return now.toISOString();
}

/** An answer does not wait longer for the files (ms). */
const MOVE_WITHIN_MS = 5_000;

/**
 * Brings the files of a video to where it wants them, or removes those of one that is removed, now rather than by the job that
 * does so in any case. Returns false when that takes too long or fails: the job then does it.
 */
export async function moveNow(
  { moveFiles, logger }: { readonly moveFiles: MoveFiles; readonly logger: Logger },
  videoId: string,
  { correlationId, actor, now }: CommandContext,
): Promise<boolean> {
  const signal = AbortSignal.timeout(MOVE_WITHIN_MS);
  // Without the idempotency key, which names the command itself.
  const context = { correlationId, now, ...(actor !== undefined && { actor }) };
  const moving = moveFiles(videoId, context, signal).then(
    () => true,
    (error: unknown) => {
      logger.warn(
        { err: error, videoId },
        'the files of a moderated video cannot be moved now; the job will move them',
      );
      return false;
    },
  );
  return withTimeout(moving, MOVE_WITHIN_MS, () => false);
}
