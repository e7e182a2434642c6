import { expect, test } from '@jest/globals';
import type { ReadModels } from '../../../../projections/index.ts';
import { analytics } from '../../../../projections/analytics.ts';
import { timeline } from '../../../../projections/timeline/timeline.ts';
import { countChanges, type Countable } from '../../../../projections/videoCounts.ts';
import { deliver, record } from '../../../../tests/support/deliver.ts';
import { histories, interleaved } from '../../../../tests/support/histories.ts';
import { createProjectingTest, type ProjectingTest } from '../../../../tests/support/projecting.ts';
import { fc } from '../../../../tests/support/property.ts';
import { asUuid } from '../../../../tests/support/ids.ts';
import type { RecordedEvent } from '../../../core/event.ts';
import { createQueryDatabase } from '../../../postgres/queryDatabase.ts';
import { projectionConsumer } from '../../../projecting/consumer.ts';
import { analyticsOf, type AnalyticsQuestion } from '../analyticsQuery.ts';
import { dailyNumbers } from '../../../../projections/analytics.ts';
import { explanationOf } from '../explainQuery.ts';
import { reportOf } from '../report.ts';
import { counted, viewRules } from '../viewRules/index.ts';
import type { VideoEvent } from '../../videos/index.ts';
import { analyticsAsOf } from './asOfQuery.ts';
import { createMoments } from './moments.ts';

const BEGIN = Date.UTC(2025, 0, 30);
const handled = new Set<string>(timeline.handles);

/** Milliseconds from an event to the next: several in one batch of appends, and now and then a clock that is set back. */
const gap = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(0, 1, 40, 3_000, 600_000) },
  { weight: 1, arbitrary: fc.integer({ min: -2_000_000, max: -1 }) },
);

/** A few owners, or one with more videos than are named as the top ones. */
const cases = fc
  .oneof(histories(3, 4), histories(1, 8))
  .chain(interleaved)
  .chain((log) =>
    fc.record({
      log: fc.constant(log),
      gaps: fc.array(gap, { minLength: log.length, maxLength: log.length }),
      sizes: fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 9 }),
      partitions: fc.constantFrom(1, 3, 64),
      viewRule: fc.constantFrom(...viewRules),
      /** Each is a place among the times of the events, and a distance from it. */
      moments: fc.array(fc.tuple(fc.nat(), fc.constantFrom(-1, 0, 1, 20)), { minLength: 4, maxLength: 4 }),
      days: fc.tuple(fc.integer({ min: 29, max: 31 }), fc.integer({ min: 29, max: 31 })),
    }),
  );

test('as of any moment, the answer and the events behind it are those of a replay that stops there', async () => {
  await fc.assert(
    fc.asyncProperty(cases, async ({ log, gaps, sizes, partitions, viewRule, moments, days }) => {
      await using t = await createProjectingTest();
      let time = BEGIN;
      const times = gaps.map((ms) => (time += ms));
      const events = record(log, times);
      await writeLog(t, events);
      await deliver(t, projectionConsumer(timeline, { viewRule }), events, { sizes, partitions });

      const erased = videosWithoutText(events);

      const db = createQueryDatabase<ReadModels>(t.pool);
      const readModels = { untilFresh: () => Promise.resolve() };
      const found = createMoments({ db, store: t.store, readModels });
      const asked = moments.map(([n, off]) => new Date((times[n % times.length] ?? BEGIN) + off));
      for (const moment of [new Date(BEGIN - 2e9), ...asked, new Date(BEGIN + 2e9)]) {
        const { position, before } = replayUntil(events, moment);
        expect(await found.positionAt(moment, AbortSignal.timeout(10_000))).toBe(position);
        await deliver(t, projectionConsumer(analytics, { viewRule }), before, { sizes: [Infinity] });
        for (const question of questions(days)) {
          const replayed = await analyticsOf(db, question);
          const numbers = await analyticsAsOf(db, question, position);
          const expected = {
            ...replayed,
            top: replayed.top.map((video) => (erased.has(video.id) ? { ...video, title: '' } : video)),
          };
          expect([reportOf(numbers), numbers.rule]).toEqual([reportOf(expected), replayed.rule]);
          for (const day of ['2025-01-30', '2025-01-31', '2025-02-01']) {
            if (day < question.start || day > question.end) continue;
            for (const number of dailyNumbers) {
              const explained = { ...question, day, number, position };
              const { facts, count } = await explanationOf(db, explained, { after: 0n, limit: 1_000 });
              expect(count).toBe(numbers.days.find((each) => each.day === day)?.[number] ?? 0);
              expect(facts.reduce((sum, { by }) => sum + by, 0)).toBe(count);
              if (number === 'likes' || (number === 'views' && viewRule === counted))
                expect(facts.map((fact) => fact.position)).toEqual(counting(before, explained));
            }
          }
        }
      }
    }),
    { numRuns: 6, interruptAfterTimeLimit: 45_000 },
  );
});

/** The events before the first counted one that was recorded after the moment, and the last of them that was not. */
function replayUntil(events: readonly RecordedEvent[], moment: Date): { position: bigint; before: RecordedEvent[] } {
  const later = events.findIndex((event) => event.time > moment && handled.has(event.type));
  const before = later === -1 ? [...events] : events.slice(0, later);
  return { position: before.findLast((event) => event.time <= moment)?.position ?? 0n, before };
}

/** A title that is erased is gone from all times. */
function videosWithoutText(events: readonly RecordedEvent[]): ReadonlySet<string> {
  const erasing = events.filter(({ type }) => type === 'VideoTextErased') as readonly RecordedEvent<VideoEvent>[];
  return new Set(erasing.map(({ data }) => data.videoId));
}

/** The positions of the events that changed a number, found without any table. */
function counting(
  events: readonly RecordedEvent[],
  { ownerId, videoId, day, number }: { ownerId: string; videoId?: string | undefined; day: string; number: string },
): bigint[] {
  return events
    .filter((event) => {
      const data = event.data as Countable;
      return (
        countChanges(event.type).some(({ what }) => `${what}s` === number) &&
        data.ownerId === ownerId &&
        data.at.startsWith(day) &&
        (videoId === undefined || data.videoId === videoId)
      );
    })
    .map(({ position }) => position);
}

function questions([one, other]: readonly [number, number]): AnalyticsQuestion[] {
  const owners = [0, 1, 2].map((n) => asUuid('user', n));
  const range = { start: `2025-01-${Math.min(one, other)}`, end: `2025-01-${Math.max(one, other)}` };
  const always = { start: '0001-01-01', end: '9999-12-31' };
  return [
    ...owners.flatMap((ownerId) => [
      { ownerId, ...always },
      { ownerId, ...range },
    ]),
    { ownerId: owners[0]!, ...always, videoId: asUuid('video', 0) },
    { ownerId: owners[1]!, ...always, videoId: asUuid('video', 0) },
  ];
}

/** Writes events into the log with times of their own: its own function would give them the time of now. */
async function writeLog({ pool }: ProjectingTest, events: readonly RecordedEvent[]): Promise<void> {
  for (const { position, stream, revision, id, type, data, metadata, time } of events)
    await pool.query(
      'insert into reelstream.events (position, stream, revision, id, type, data, metadata, time) values ($1, $2, $3, $4, $5, $6, $7, $8)',
      [position, stream, revision, id, type, JSON.stringify(data), JSON.stringify(metadata), time],
    );
  await pool.query('update reelstream.head set position = $1', [events.length]);
}
