import { describe, expect, test } from '@jest/globals';
import { DAY, dayRange } from './dayRange.ts';

describe('the days that analytics are asked about', () => {
  test.each([
    [
      'as named, both ends included',
      { startDate: '2025-01-01', endDate: '2025-01-31' },
      { start: '2025-01-01', end: '2025-01-31' },
    ],
    ['a single day', { startDate: '2025-01-01', endDate: '2025-01-01' }, { start: '2025-01-01', end: '2025-01-01' }],
    [
      '31 February is the last of February',
      { startDate: '2025-01-01', endDate: '2025-02-31' },
      { start: '2025-01-01', end: '2025-02-28' },
    ],
    [
      '31 February of a leap year',
      { startDate: '2024-02-30', endDate: '2024-02-31' },
      { start: '2024-02-29', end: '2024-02-29' },
    ],
    [
      'no leap year at a century',
      { startDate: '1900-01-01', endDate: '1900-02-29' },
      { start: '1900-01-01', end: '1900-02-28' },
    ],
    [
      'a leap year at a fourth century',
      { startDate: '2000-01-01', endDate: '2000-02-31' },
      { start: '2000-01-01', end: '2000-02-29' },
    ],
    [
      '31 April is the 30th',
      { startDate: '2025-04-31', endDate: '2025-04-31' },
      { start: '2025-04-30', end: '2025-04-30' },
    ],
    ['without an end, everything since', { startDate: '2025-03-01' }, { start: '2025-03-01', end: '9999-12-31' }],
    ['without a start, everything until', { endDate: '2025-01-30' }, { start: '0001-01-01', end: '2025-01-30' }],
    ['without either, everything', {}, { start: '0001-01-01', end: '9999-12-31' }],
  ])('are %s', (_, asked, expected) => {
    expect(dayRange(asked)).toEqual(expected);
  });

  test.each([
    '',
    'yesterday',
    '2025-1-1',
    '2025-13-01',
    '2025-00-10',
    '2025-01-00',
    '2025-01-32',
    '0000-01-01',
    '20250101',
    '2025-01-01T00:00:00Z',
    ' 2025-01-01',
  ])('are not written as %p', (text) => {
    expect(text).not.toMatch(DAY);
  });

  test('are refused when the start is after the end', () => {
    expect(() => dayRange({ startDate: '2025-02-02', endDate: '2025-02-01' })).toThrow(
      expect.objectContaining({ kind: 'invalid', fields: [expect.objectContaining({ path: 'startDate' })] }),
    );
  });
});
