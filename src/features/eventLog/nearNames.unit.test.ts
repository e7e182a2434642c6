import { expect, test } from '@jest/globals';
import { nearNames } from './nearNames.ts';

const names = ['VideoDeleted', 'VideoLiked', 'VideoUnliked', 'UserRegistered'];

test.each([
  ['VideoLike', ['VideoLiked', 'VideoUnliked']],
  ['videoliked', ['VideoLiked', 'VideoUnliked']],
  ['liked', ['VideoLiked', 'VideoUnliked']],
  ['UserRegisterd', ['UserRegistered']],
  ['VideoUnlked', ['VideoUnliked', 'VideoLiked']],
  ['SomethingElse', []],
  ['x', []],
  ['', []],
])('%j may mean %j', (mistyped, near) => {
  expect(nearNames(mistyped, names)).toEqual(near);
});
