import { describe, test } from '@jest/globals';
import { given } from '../../core/spec.ts';
import { likeDecider, type LikeCommand } from './decider.ts';
import type { LikeEvent } from './events.ts';

const like = { videoId: 'v1', userId: 'bob', ownerId: 'ann', at: '2025-03-01T12:00:00.000Z' };
const command = (type: LikeCommand['type']): LikeCommand => ({ type, ...like });
const liked: LikeEvent = { type: 'VideoLiked', data: like };
const unliked: LikeEvent = { type: 'VideoUnliked', data: like };
const after = (...events: LikeEvent[]) => given(likeDecider, events);

describe('a like', () => {
  test('is toggled on and off', () => {
    after().when(command('ToggleLike')).then([liked]);
    after(liked).when(command('ToggleLike')).then([unliked]);
    after(liked, unliked).when(command('ToggleLike')).then([liked]);
  });

  test('is given once, however often it is asked for', () => {
    after().when(command('Like')).then([liked]);
    after(liked).when(command('Like')).thenNothing();
    after(liked, unliked).when(command('Like')).then([liked]);
  });

  test('is taken back once, and only if it was given', () => {
    after(liked).when(command('Unlike')).then([unliked]);
    after().when(command('Unlike')).thenNothing();
    after(liked, unliked).when(command('Unlike')).thenNothing();
  });
});
