import { describe, expect, test } from '@jest/globals';
import { fc } from '../../../tests/support/property.ts';
import { factsOf } from '../inspecting/factsOf.ts';
import type { ProbedStream } from '../inspecting/probe.ts';
import { planRendition } from './rendition.ts';

const video = (changes: Partial<ProbedStream>): ProbedStream => ({
  index: 0,
  kind: 'video',
  codec: 'h264',
  tag: 'avc1',
  width: 640,
  height: 480,
  pixelShape: 1,
  rotation: 0,
  still: false,
  packets: 250,
  decoded: 250,
  start: 0,
  end: 10,
  damaged: 0,
  ...changes,
});
const sizeOf = (changes: Partial<ProbedStream>): [number, number] => {
  const { width, height } = planRendition(video(changes), undefined);
  return [width, height];
};

describe('the size of a rendition', () => {
  test.each<[string, Partial<ProbedStream>, [number, number]]>([
    ['as it is', { width: 640, height: 480 }, [640, 480]],
    ['odd: a pixel less', { width: 641, height: 481 }, [640, 480]],
    ['4K: 1080 on the short side', { width: 3840, height: 2160 }, [1920, 1080]],
    ['4K upright', { width: 2160, height: 3840 }, [1080, 1920]],
    ['turned', { width: 1920, height: 1080, rotation: -90 }, [1080, 1920]],
    ['turned all the way', { width: 1920, height: 1080, rotation: 180 }, [1920, 1080]],
    ['wide pixels', { width: 720, height: 576, pixelShape: 16 / 11 }, [1046, 576]],
    ['a strip', { width: 7680, height: 64 }, [3840, 32]],
    ['exactly at the limit', { width: 1920, height: 1080 }, [1920, 1080]],
  ])('%s', (_what, changes, size) => {
    expect(sizeOf(changes)).toEqual(size);
  });

  test('is even, never larger than the upload, at most 1080 on the short side, and keeps its shape', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 16, max: 7680 }),
        fc.integer({ min: 16, max: 7680 }),
        fc.constantFrom(0, 90, 180, -90),
        (width, height, rotation) => {
          const shown = factsOf(video({ width, height, rotation }));
          const [w, h] = sizeOf({ width, height, rotation });
          expect([w % 2, h % 2]).toEqual([0, 0]);
          expect(w <= shown.width && h <= shown.height && Math.min(w, h) <= 1080 && w >= 2 && h >= 2).toBe(true);
          expect(Math.abs(w * shown.height - h * shown.width)).toBeLessThanOrEqual(
            2 * Math.max(shown.width, shown.height),
          );
        },
      ),
    );
  });
});

describe('the frame rate of a rendition', () => {
  test.each([
    [25, undefined],
    [60, undefined],
    [59.94, undefined],
    [120, 60],
    [240, 60],
  ])('%d a second', (rate, planned) => {
    expect(planRendition(video({ packets: Math.round(rate * 10) }), undefined).frameRate).toBe(planned);
  });
});
