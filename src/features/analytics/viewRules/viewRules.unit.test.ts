import { expect, test } from '@jest/globals';
import type { RecordedView } from '../../../../projections/viewRule.ts';
import { combine } from './combine.ts';
import { viewRuleNamed, viewRules } from './index.ts';

const view: RecordedView = { videoId: 'v', ownerId: 'ann', viewer: 'user:bob', at: '2025-01-30T12:00:00.000Z' };

test('the list has each name once, in words that can be joined and stored', () => {
  const names = viewRules.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(name).toMatch(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/);
});

test.each([
  ['counted', 'counted'],
  ['daily-unique', 'daily-unique'],
  ['daily-unique+not-the-owner', 'daily-unique+not-the-owner'],
  ['not-the-owner+daily-unique', 'daily-unique+not-the-owner'],
  ['daily-unique+daily-unique', 'daily-unique'],
  ['counted+daily-unique', 'daily-unique'],
])('"%s" means the rule %s', (asked, name) => {
  expect(viewRuleNamed(asked)?.name).toBe(name);
});

test.each(['', 'other', 'daily-unique+other', 'daily-unique+', 'Counted'])('"%s" is no rule', (asked) => {
  expect(viewRuleNamed(asked)).toBeUndefined();
});

test('not-the-owner accepts every view but those of the owner', () => {
  const { counts } = viewRuleNamed('not-the-owner')!;
  expect([view, { ...view, viewer: 'user:ann' }, { ...view, viewer: 'addr:ann' }].map(counts!)).toEqual([
    true,
    false,
    true,
  ]);
});

test('a combination accepts what all its rules accept, and its key is made of all their keys', () => {
  const of = (name: string, ...accepted: string[]) => ({
    name,
    description: `${name}.`,
    counts: ({ viewer }: RecordedView) => accepted.includes(viewer),
    oncePerDay: ({ at }: RecordedView) => `${name} ${at}`,
  });
  const { name, description, counts, oncePerDay } = combine([of('a', 'x', 'y'), of('b', 'y', 'z')]);
  expect([name, description]).toEqual(['a+b', 'a. b.']);
  expect(['x', 'y', 'z'].map((viewer) => counts!({ ...view, viewer }))).toEqual([false, true, false]);
  expect(oncePerDay!(view)).not.toBe(oncePerDay!({ ...view, at: '2025-01-30T13:00:00.000Z' }));
});
