import type { Decider } from '../../core/decider.ts';
import type { LikeEvent } from './events.ts';

/**
 * Changes a user's like on a video. `ownerId` is the video's owner. The caller has checked that the video can be liked.
 */
export interface LikeCommand {
  readonly type: 'ToggleLike' | 'Like' | 'Unlike';
  readonly videoId: string;
  readonly userId: string;
  readonly ownerId: string;
  /** Only the owner may see the video. */
  readonly isPrivate?: true;
  readonly at: string;
}

export interface LikeState {
  readonly liked: boolean;
}

export const likeDecider: Decider<LikeCommand, LikeEvent, LikeState> = {
  initialState: { liked: false },

  decide({ type, ...data }, { liked }) {
    const wanted = type === 'ToggleLike' ? !liked : type === 'Like';
    if (wanted === liked) return [];
    return [{ type: wanted ? 'VideoLiked' : 'VideoUnliked', data }];
  },

  evolve(_state, { type }) {
    return { liked: type === 'VideoLiked' };
  },
};

export function likeStream(videoId: string, userId: string): string {
  return `like-${videoId}_${userId}`;
}
