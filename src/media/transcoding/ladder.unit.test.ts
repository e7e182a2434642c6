import { describe, expect, test } from '@jest/globals';
import { fc } from '../../../tests/support/property.ts';
import { planLadder } from './ladder.ts';

const sizes = (width: number, height: number): string[] =>
  planLadder({ width, height }).map((rung) => `${rung.width}x${rung.height}`);

describe('the ladder', () => {
  test.each<[string, [number, number], string[]]>([
    ['full HD', [1920, 1080], ['426x240', '640x360', '854x480', '1280x720', '1920x1080']],
    ['upright', [1080, 1920], ['240x426', '360x640', '480x854', '720x1280', '1080x1920']],
    ['of a phone', [720, 1280], ['240x426', '360x640', '480x854', '720x1280']],
    ['square', [600, 600], ['240x240', '360x360', '480x480', '600x600']],
    ['a little above a rung: only the video itself', [400, 250], ['400x250']],
    ['tiny', [64, 48], ['64x48']],
    ['a strip', [3840, 32], ['3840x32']],
  ])('%s', (_what, [width, height], expected) => {
    expect(sizes(width, height)).toEqual(expected);
  });

  const side = fc.integer({ min: 1, max: 1920 }).map((half) => half * 2);
  test('rises to the size of the video, never above it or 1080 lines, in even numbers, and keeps its shape', () => {
    fc.assert(
      fc.property(
        side.filter((short) => short <= 1080),
        side,
        fc.boolean(),
        (one, other, upright) => {
          const [short, long] = [Math.min(one, other), Math.max(one, other)];
          const video = upright ? { width: short, height: long } : { width: long, height: short };
          const rungs = planLadder(video);
          expect(rungs.at(-1)).toMatchObject(video);
          expect(new Set(rungs.map(({ name }) => name)).size).toBe(rungs.length);
          for (const [n, { width, height, maxRate }] of rungs.entries()) {
            expect([width % 2, height % 2]).toEqual([0, 0]);
            expect(width <= video.width && height <= video.height && Math.min(width, height) <= 1080).toBe(true);
            expect(Math.abs(width * video.height - height * video.width)).toBeLessThanOrEqual(2 * long);
            const below = rungs[n - 1];
            if (below) expect(width * height > below.width * below.height && maxRate > below.maxRate).toBe(true);
          }
        },
      ),
    );
  });
});
