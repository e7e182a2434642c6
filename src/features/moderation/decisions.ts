import type { DomainEvent, RecordedEvent } from '../../core/event.ts';
import type { EventStore } from '../../core/eventStore.ts';
import { userStream, type UserEvent } from '../accounts/index.ts';
import { videoStream, type VideoEvent } from '../videos/index.ts';
import { dismissalStream } from './decider.ts';
import type { ReportsDismissed } from './events.ts';

/** What somebody decided about a video or a user. */
export interface Decision {
  readonly decision: 'dismissed' | 'hidden' | 'restored' | 'removed' | 'deleted' | 'suspended' | 'reinstated';
  /** The id of the admin or of the owner, or `command line`. */
  readonly by: string;
  /** Null for what the owner did. */
  readonly reason: string | null;
  readonly at: string;
  readonly position: string;
}

type Reads = Pick<EventStore, 'readStream'>;

const names: Readonly<Partial<Record<(VideoEvent | UserEvent | ReportsDismissed)['type'], Decision['decision']>>> = {
  ReportsDismissed: 'dismissed',
  VideoHidden: 'hidden',
  VideoRestored: 'restored',
  VideoRemoved: 'removed',
  VideoDeleted: 'deleted',
  UserSuspended: 'suspended',
  UserReinstated: 'reinstated',
};

/** All decisions about a video, in the order of the log. */
export async function decisionsOnVideo(store: Reads, videoId: string): Promise<Decision[]> {
  const [ofVideo, dismissals] = await Promise.all([
    decisionsIn(store, videoStream(videoId)),
    decisionsIn(store, dismissalStream(videoId)),
  ]);
  const removed = ofVideo.some(({ decision }) => decision === 'removed');
  return [...ofVideo.filter(({ decision }) => decision !== 'deleted' || !removed), ...dismissals].toSorted((a, b) =>
    BigInt(a.position) < BigInt(b.position) ? -1 : 1,
  );
}

/** All suspensions of a user and their ends, in the order of the log. */
export function decisionsOnUser(store: Reads, userId: string): Promise<Decision[]> {
  return decisionsIn(store, userStream(userId));
}

async function decisionsIn(store: Reads, stream: string): Promise<Decision[]> {
  const found: Decision[] = [];
  for await (const event of store.readStream(stream)) {
    const decision = (names as Readonly<Record<string, Decision['decision'] | undefined>>)[event.type];
    if (decision !== undefined) found.push({ decision, ...detailsOf(event), position: String(event.position) });
  }
  return found;
}

function detailsOf({ data }: RecordedEvent<DomainEvent>): Pick<Decision, 'by' | 'reason' | 'at'> {
  const {
    by,
    reason = null,
    ownerId,
    at,
  } = data as { readonly by?: string; readonly reason?: string; readonly ownerId?: string; readonly at: string };
  return { by: by ?? ownerId ?? '', reason, at };
}
