import { expect, test } from '@jest/globals';
import { backOff } from './backOff.ts';

test('doubles with each failure up to the longest pause, and stays there', () => {
  const pauses = [1, 2, 3, 4, 5, 100, 5_000].map((failures) => backOff(failures, { firstMs: 150, longestMs: 1_000 }));
  expect(pauses).toEqual([150, 300, 600, 1_000, 1_000, 1_000, 1_000]);
});
