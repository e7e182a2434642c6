import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createMembers } from './members.ts';

test('has what was added and not removed, in order', () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.nat({ max: 20 }), { nil: 'add' as const })), (steps) => {
      const members = createMembers<number>();
      const removes: (() => void)[] = [];
      const expected = new Set<number>();
      for (const step of steps) {
        if (step === 'add') {
          expected.add(removes.length);
          removes.push(members.add(removes.length));
        } else {
          // Also one that was removed before.
          removes[step]?.();
          expected.delete(step);
        }
        expect(members.all()).toEqual([...expected]);
        expect(members.size).toBe(expected.size);
      }
    }),
  );
});
