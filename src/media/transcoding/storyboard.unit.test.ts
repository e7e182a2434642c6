import { expect, test } from '@jest/globals';
import { fc } from '../../../tests/support/property.ts';
import { planStoryboard, storyboardVtt } from './storyboard.ts';

test('a storyboard has a cue for each second, and the last one ends with the video', () => {
  const plan = planStoryboard({ width: 1280, height: 720, duration: 11.4 });
  expect(plan).toMatchObject({ count: 12, columns: 10, rows: 2, width: 160, height: 90 });
  const vtt = storyboardVtt(plan, 'p.jpg');
  expect(vtt.slice(0, 63)).toBe('WEBVTT\n\n00:00.000 --> 00:01.000\np.jpg#xywh=0,0,160,90\n\n00:01.00');
  expect(vtt.split('\n\n').slice(-2)).toEqual([
    '00:10.000 --> 00:11.000\np.jpg#xywh=0,90,160,90',
    '00:11.000 --> 00:11.400\np.jpg#xywh=160,90,160,90\n',
  ]);
});

test('an upright video of a minute has upright pictures, one a second', () => {
  expect(planStoryboard({ width: 1080, height: 1920, duration: 60.03 })).toMatchObject({
    count: 60,
    columns: 10,
    rows: 6,
    width: 90,
    height: 160,
  });
});

test('every cue has a time of its own in the video, and a place of its own in a picture of bounded size', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 3840 }),
      fc.integer({ min: 2, max: 1080 }),
      fc.double({ min: 0.001, max: 60.05, noNaN: true }),
      (width, height, duration) => {
        const plan = planStoryboard({ width, height, duration });
        expect(plan.columns * plan.width <= 1600 && plan.rows * plan.height <= 1120).toBe(true);
        const cues = storyboardVtt(plan, 'p.jpg').split('\n\n').slice(1);
        expect(cues).toHaveLength(plan.count);
        const places = cues.map((cue) => /xywh=(.*)$/m.exec(cue)![1]!);
        expect(new Set(places).size).toBe(plan.count);
        for (const place of places) {
          const [x, y, w, h] = place.split(',').map(Number) as [number, number, number, number];
          expect(x + w <= plan.columns * plan.width && y + h <= plan.rows * plan.height).toBe(true);
        }
        const [from, to] = [...cues.at(-1)!.matchAll(/(\d\d):(\d\d\.\d{3})/g)].map(
          ([, minutes, seconds]) => Number(minutes) * 60 + Number(seconds),
        ) as [number, number];
        expect(from < to && to <= Math.max(duration, from) + 0.002).toBe(true);
      },
    ),
  );
});
