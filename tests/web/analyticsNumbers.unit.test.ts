import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseCsv, summaryOf, totalsOf, withEmptyDays } from '../../web/src/pages/studio/analytics/dayNumbers.ts';
import { fromLocalInput, toLocalInput } from '../../web/src/pages/studio/analytics/localTime.ts';
import { lengthOf, rangeBefore, rangeOf } from '../../web/src/pages/studio/analytics/range.ts';
import { analyticsSearch } from '../../web/src/pages/studio/analytics/search.ts';

const MS_PER_DAY = 86_400_000;
const day = fc.integer({ min: 0, max: 20_000 }).map((n) => new Date(n * MS_PER_DAY).toISOString().slice(0, 10));
const range = fc
  .tuple(day, day)
  .map(([one, other]) => ({ from: one < other ? one : other, to: one < other ? other : one }));
const counts = fc.record({ views: fc.nat(1e6), likes: fc.integer({ min: -1e6, max: 1e6 }), uploads: fc.nat(100) });

describe('the numbers of analytics on the page', () => {
  test('are those of the file, with zeros for the days that it leaves out', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(fc.nat(399), counts), { selector: ([offset]) => offset }), (rows) => {
        const date = (offset: number): string => new Date(offset * MS_PER_DAY).toISOString().slice(0, 10);
        const lines = rows
          .toSorted(([one], [other]) => one - other)
          .map(([offset, { views, likes, uploads }]) => `${date(offset)},${views},${likes},${uploads}\r\n`);
        const days = withEmptyDays(parseCsv(`date,views,likes,uploads\r\n${lines.join('')}`), {
          from: date(0),
          to: date(399),
        });
        expect(days.map(({ day }) => day)).toEqual(Array.from({ length: 400 }, (_, offset) => date(offset)));
        const sum = (name: 'views' | 'likes' | 'uploads'): number =>
          rows.reduce((total, [, row]) => total + row[name], 0);
        expect(totalsOf(days)).toEqual({ views: sum('views'), likes: sum('likes'), uploads: sum('uploads') });
      }),
    );
  });

  test('name the best day', () => {
    const on = (date: string, views: number) => ({ day: date, views, likes: 0, uploads: 0 });
    expect(summaryOf([on('2025-07-01', 2), on('2025-07-02', 0), on('2025-07-03', 7)], 'views')).toBe(
      'On 2 of 3 days. Most on Jul 3, 2025: 7.',
    );
    expect(summaryOf([on('2025-07-01', 2), on('2025-07-02', 1)], 'views')).toBe(
      'On each of 2 days. Most on Jul 1, 2025: 2.',
    );
    expect(summaryOf([on('2025-07-01', 0)], 'views')).toBe('No views on this day.');
  });
});

describe('the days of a range', () => {
  test('are followed by the range, without a gap, and as many', () => {
    fc.assert(
      fc.property(range, (chosen) => {
        const before = rangeBefore(chosen);
        expect(lengthOf(before)).toBe(lengthOf(chosen));
        expect(Date.parse(before.to) + MS_PER_DAY).toBe(Date.parse(chosen.from));
      }),
    );
  });

  test('end at the moment that is shown, but for all days', () => {
    const now = Date.parse('2025-07-31T12:00:00Z');
    expect(rangeOf({}, '2025-01-01', now)).toEqual({ from: '2025-07-04', to: '2025-07-31' });
    expect(rangeOf({ range: '7d', asOf: '2025-06-15T00:00:00.000Z' }, '2025-01-01', now)).toEqual({
      from: '2025-06-09',
      to: '2025-06-15',
    });
    expect(rangeOf({ range: 'all', asOf: '2025-06-15T00:00:00.000Z' }, '2025-01-01', now)).toEqual({
      from: '2025-01-01',
      to: '2025-07-31',
    });
    expect(rangeOf({ from: '2025-02-01', to: '2025-02-02' }, '2025-01-01', now)).toEqual({
      from: '2025-02-01',
      to: '2025-02-02',
    });
  });
});

describe('the address of the page', () => {
  test('keeps what it says, and drops what makes no sense', () => {
    const search = {
      from: '2025-07-01',
      to: '2025-07-31',
      asOf: '2025-07-14T09:30:00.000Z',
      number: 'views',
      day: '2025-07-02',
    };
    expect(analyticsSearch(search)).toEqual(search);
    expect(
      analyticsSearch({
        from: '2025-08-01',
        to: '2025-07-01',
        range: '90d',
        videoId: 'x',
        asOf: 'soon',
        number: 'views',
      }),
    ).toEqual({ range: '90d' });
  });
});

test('an exact time is the same to the second after a round trip through its field', () => {
  fc.assert(
    fc.property(fc.date({ min: new Date('2020-01-01'), max: new Date('2035-01-01'), noInvalidDate: true }), (date) => {
      const time = Math.floor(date.getTime() / 1_000) * 1_000;
      const again = fromLocalInput(toLocalInput(time))!;
      // The hour that is repeated when summer time ends has two meanings.
      expect([time, time - 3_600_000, time + 3_600_000]).toContain(again);
    }),
  );
});
