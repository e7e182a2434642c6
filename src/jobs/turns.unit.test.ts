import { describe, expect, test } from '@jest/globals';
import { fc } from '../../tests/support/property.ts';
import { giveTurns } from './turns.ts';

interface Job {
  readonly owner: string;
  readonly n: number;
  readonly turn: number;
}

/** One worker and the queue before it, as PostgreSQL keeps them. */
function createLine() {
  const waiting: Job[] = [];
  const last = new Map<string, number>();
  let current = -1;
  let added = 0;
  return {
    waiting,
    add: (...owners: string[]): void => {
      for (const [index, turn] of giveTurns(owners, { current, last }).entries()) {
        waiting.push({ owner: owners[index]!, n: added++, turn });
        last.set(owners[index]!, turn);
      }
    },
    serve: (): Job | undefined => {
      waiting.sort((a, b) => a.turn - b.turn || a.n - b.n);
      const job = waiting.shift();
      if (job !== undefined) current = Math.max(current, job.turn);
      return job;
    },
  };
}

const serveAll = ({ serve, waiting }: ReturnType<typeof createLine>): string => {
  let served = '';
  while (waiting.length > 0) served += serve()!.owner;
  return served;
};

describe('turns', () => {
  test('come in order for one user', () => {
    const line = createLine();
    line.add('a', 'a', 'a');
    expect([line.serve(), line.serve(), line.serve()].map((job) => job?.n)).toEqual([0, 1, 2]);
  });

  test('let somebody with one clip go right after the clip that is being served', () => {
    const line = createLine();
    line.add(...Array.from({ length: 12 }, () => 'a'));
    line.serve();
    line.add('b');
    expect(line.serve()?.owner).toBe('b');
  });

  test('alternate between users, however many clips each has and when they came', () => {
    const line = createLine();
    line.add('a', 'a', 'a', 'a', 'b', 'b', 'c');
    expect(serveAll(line)).toBe('abcabaa');
  });

  test('alternate also with one who comes back as soon as their clip is served', () => {
    const line = createLine();
    line.add('a', 'a', 'a', 'a', 'b');
    let served = '';
    while (line.waiting.some(({ owner }) => owner === 'a')) {
      const { owner } = line.serve()!;
      served += owner;
      if (owner === 'b') line.add('b');
    }
    expect(served).toBe('abababa');
  });

  test('come to everybody, though there are always newcomers', () => {
    const line = createLine();
    line.add('a', 'a');
    line.serve();
    let newcomers = 0;
    for (; line.waiting.some(({ owner }) => owner === 'a'); newcomers++) {
      line.add(`new ${newcomers}`);
      line.serve();
      expect(newcomers).toBeLessThan(20);
    }
  });

  test('are fair: between two clips of one user, everybody else who waits is served', () => {
    const user = fc.constantFrom('a', 'b', 'c', 'd');
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.array(user, { minLength: 1, maxLength: 6 }), fc.constant('serve' as const)), {
          maxLength: 60,
        }),
        (steps) => {
          const line = createLine();
          const sinceServed = new Map<string, Map<string, number>>();
          const serve = (): void => {
            const waiting = new Set(line.waiting.map(({ owner }) => owner));
            const owner = line.serve()?.owner;
            for (const other of waiting) {
              if (other === owner || owner === undefined) continue;
              const passed = sinceServed.get(other) ?? new Map<string, number>();
              sinceServed.set(other, passed.set(owner, (passed.get(owner) ?? 0) + 1));
              // Twice at most: once for a turn that was given before this one began to wait, and once for its own round.
              expect(passed.get(owner)).toBeLessThanOrEqual(2);
            }
            if (owner !== undefined) sinceServed.delete(owner);
          };
          for (const step of steps) {
            if (step === 'serve') serve();
            else line.add(...step);
          }
          while (line.waiting.length > 0) serve();
        },
      ),
      { numRuns: 500 },
    );
  });
});
