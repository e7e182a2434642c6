import { expect, test } from '@jest/globals';
import { createFairTurns } from './fairTurns.ts';

test('keys take turns, and the work of each key runs in order', async () => {
  const turns = createFairTurns(1);
  const done: string[] = [];
  const work = (key: string, name: string): Promise<unknown> => turns(key, () => Promise.resolve(done.push(name)));
  await Promise.all([
    work('a', 'a1'),
    work('a', 'a2'),
    work('a', 'a3'),
    work('a', 'a4'),
    work('b', 'b1'),
    work('b', 'b2'),
    work('c', 'c1'),
  ]);
  expect(done).toEqual(['a1', 'a2', 'b1', 'c1', 'a3', 'b2', 'a4']);
});

test('the given number of pieces run at a time, even of one key, and a failure makes room for the next piece', async () => {
  const turns = createFairTurns(2);
  let running = 0;
  let most = 0;
  const work = async (fails: boolean): Promise<void> => {
    most = Math.max(most, (running += 1));
    await new Promise((resolve) => setImmediate(resolve));
    running -= 1;
    if (fails) throw new Error('expected');
  };
  const results = await Promise.allSettled(Array.from({ length: 9 }, (_, n) => turns('a', () => work(n % 2 === 0))));
  expect(results.map(({ status }) => status)).toEqual(results.map((_, n) => (n % 2 === 0 ? 'rejected' : 'fulfilled')));
  expect(most).toBe(2);
});
