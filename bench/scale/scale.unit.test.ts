import { readFile } from 'node:fs/promises';
import { describe, expect, test } from '@jest/globals';
import { fc } from '../../tests/support/property.ts';
import { hitsOfOneKey, hitsOfZipf } from './cacheHits.ts';
import { simulateLag, type LagOptions } from './lag.ts';
import { limits } from './limits.ts';
import { everyDesign, needsOf, today } from './needs.ts';
import { scaleTables, withTables } from './tables.ts';
import { loadOf } from './users.ts';

describe('cache hits', () => {
  test('of a single key of the Zipf distribution are those of one key', () => {
    for (const [lookUps, commits] of [
      [1, 0],
      [500, 60],
      [0.1, 1_000],
    ] as const)
      expect(hitsOfZipf(lookUps, 1, commits)).toBeCloseTo(hitsOfOneKey(lookUps, commits), 8);
  });

  test('of many keys are the mean over their popularity', () => {
    const [lookUps, keys, commits] = [300, 1_000, 20];
    const sum = Array.from({ length: keys }, (_, n) => 1 / (n + 1)).reduce((a, b) => a + b);
    const expected = Array.from({ length: keys }, (_, n) => 1 / (n + 1) / sum)
      .map((share) => share * hitsOfOneKey(lookUps * share, commits))
      .reduce((a, b) => a + b);
    expect(hitsOfZipf(lookUps, keys, commits)).toBeCloseTo(expected, 8);
  });
});

describe('the needs', () => {
  test('never shrink when more users come', () => {
    const users = fc.integer({ min: 1, max: 200_000_000 });
    fc.assert(
      fc.property(users, users, fc.constantFrom(today, everyDesign), (one, other, designs) => {
        const [less, more] = [one, other].toSorted((a, b) => a - b).map((n) => needsOf(loadOf(n!), designs));
        for (const [name, value] of Object.entries(less!))
          if (!name.endsWith('Hits') && name !== 'replicasOfEach' && name !== 'readCores')
            expect(more![name as keyof typeof more] as number).toBeGreaterThanOrEqual(value);
      }),
    );
  });

  test('can be met at 100 million daily users with the missing designs, and not without them', () => {
    expect(needsOf(loadOf(100_000_000), today).relays).toBe(Infinity);
    expect(Math.max(...Object.values(needsOf(loadOf(100_000_000), everyDesign)))).toBeLessThan(Infinity);
  });

  test('are met by the default cluster below the limit of each part, and its knob never makes it worse', () => {
    for (const { fullAt, reaches } of limits()) expect(reaches).toBeGreaterThanOrEqual(fullAt);
  });
});

describe('the simulation of lag', () => {
  const options: LagOptions = {
    seconds: 30,
    rate: () => 500,
    partitions: 6,
    members: 2,
    perTransaction: 0.01,
    perEvent: 0.0001,
  };

  test('gives the same for the same seed, and another result for another one', () => {
    expect(simulateLag(options)).toEqual(simulateLag(options));
    expect(simulateLag({ ...options, seed: 2 })).not.toEqual(simulateLag(options));
  });

  test('applies every event, about as many as the rate says', () => {
    const { events } = simulateLag(options);
    expect(Math.abs(events - 15_000)).toBeLessThan(5 * Math.sqrt(15_000));
  });

  test('is late by the length of an outage, and recovers as fast as the members are faster than the events come', () => {
    const { worst, recovered } = simulateLag({ ...options, outage: { from: 5, to: 15, members: 2 } });
    expect(worst).toBeGreaterThan(9.5);
    expect(worst).toBeLessThan(11);
    // 5 000 events wait. Each of two members works off 10 000 a second, and 500 more come meanwhile.
    expect(recovered).toBeLessThan(1);
    const slow = simulateLag({ ...options, perEvent: 0.002, outage: { from: 5, to: 15, members: 2 } });
    // 1 000 a second leave 500 for those that wait.
    expect(slow.recovered).toBeGreaterThan(7);
    expect(slow.recovered).toBeLessThan(13);
  });
});

test('docs/scale.md has the tables that the calculation gives; npm run bench -- scale writes them', async () => {
  const document = await readFile(new URL('../../docs/scale.md', import.meta.url), 'utf8');
  // Prettier pads the columns.
  const plain = (text: string): string =>
    text.replaceAll(/ +/g, ' ').replaceAll(/-{3,}/g, '---').replaceAll(/\n+/g, '\n');
  expect(plain(document)).toBe(plain(withTables(document, scaleTables())));
});
