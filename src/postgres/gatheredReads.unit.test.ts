import { describe, expect, test } from '@jest/globals';
import { eventually } from '../../tests/support/eventually.ts';
import { gatherLookUps, gatherReads, type GatherOptions } from './gatheredReads.ts';

/** Reads that the test lets end one by one. */
function reads(options?: GatherOptions) {
  const begun: {
    keys: readonly string[];
    end: (values: ReadonlyMap<string, number>) => void;
    fail: (error: Error) => void;
  }[] = [];
  const ask = gatherLookUps<number>((keys) => new Promise((end, fail) => begun.push({ keys, end, fail })), options);
  const settled = (): Promise<void> => new Promise(setImmediate);
  return { begun, ask, settled };
}

describe('gathered reads', () => {
  test('ask once for all that is wanted in one turn, and once for each key', async () => {
    const { begun, ask, settled } = reads();
    const answers = Promise.all(['a', 'b', 'a', 'c'].map(ask));
    await settled();
    expect(begun.map(({ keys }) => keys)).toEqual([['a', 'b', 'c']]);
    begun[0]!.end(
      new Map([
        ['a', 1],
        ['b', 2],
      ]),
    );
    expect(await answers).toEqual([1, 2, 1, undefined]);
  });

  test('give nobody a read that began before they asked', async () => {
    const { begun, ask, settled } = reads();
    const early = ask('a');
    await settled();
    const late = ask('a');
    await settled();
    expect(begun).toHaveLength(1);
    begun[0]!.end(new Map([['a', 1]]));
    expect(await early).toBe(1);
    await settled();
    begun[1]!.end(new Map([['a', 2]]));
    expect(await late).toBe(2);
  });

  test('tell all who shared a read that it failed, and go on with the next', async () => {
    const { begun, ask, settled } = reads();
    const failing = Promise.allSettled([ask('a'), ask('b')]);
    await settled();
    const next = ask('a');
    begun[0]!.fail(new Error('away'));
    expect((await failing).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await settled();
    begun[1]!.end(new Map([['a', 3]]));
    expect(await next).toBe(3);
    const later = ask('z');
    await settled();
    begun[2]!.end(new Map());
    expect(await later).toBeUndefined();
  });

  test('do not wait for a read that hangs', async () => {
    const { begun, ask, settled } = reads();
    const hanging = ask('a');
    await settled();
    const next = ask('b');
    await eventually(() => begun.length === 2, { what: 'the second read begins' });
    begun[1]!.end(new Map([['b', 2]]));
    expect(await next).toBe(2);
    begun[0]!.end(new Map([['a', 1]]));
    expect(await hanging).toBe(1);
  });

  test('give each question its own answer, a hundred in one read', async () => {
    const lengths: number[] = [];
    const ask = gatherReads(async (numbers: readonly number[]) => {
      lengths.push(numbers.length);
      return Promise.resolve(numbers.map((number) => number * 2));
    });
    const numbers = Array.from({ length: 250 }, (_, index) => index % 7);
    expect(await Promise.all(numbers.map(ask))).toEqual(numbers.map((number) => number * 2));
    expect(lengths).toEqual([100, 100, 50]);
  });

  test('run as many at once as is said, and the next as soon as one of them ends', async () => {
    const { begun, ask, settled } = reads({ atOnce: 2 });
    const answers = [ask('a')];
    for (const key of ['b', 'c', 'd']) {
      await settled();
      answers.push(ask(key));
    }
    await settled();
    expect(begun.map(({ keys }) => keys)).toEqual([['a'], ['b']]);
    begun[1]!.end(new Map([['b', 2]]));
    await settled();
    expect(begun.map(({ keys }) => keys)).toEqual([['a'], ['b'], ['c', 'd']]);
    begun[0]!.end(new Map());
    begun[2]!.end(new Map([['d', 4]]));
    expect(await Promise.all(answers)).toEqual([undefined, 2, undefined, 4]);
  });
});
