import { expect, test } from '@jest/globals';
import type { ProjectionCommit } from '../../core/projectionProgress.ts';
import { createProgressTracker } from './progressTracker.ts';

test('a tracker reports commits that changed rows, and no others', () => {
  const tracker = createProgressTracker();
  const commits: ProjectionCommit[] = [];
  tracker.onCommit((commit) => commits.push(commit));
  const move = { projection: 'counting', partition: 0, partitions: 1 };
  tracker.moved({ ...move, position: 1n, changed: false });
  expect([tracker.position('counting'), commits]).toEqual([1n, []]);
  tracker.moved({ ...move, position: 2n, changed: true });
  // Known already.
  tracker.moved({ ...move, position: 2n, changed: true });
  tracker.moved({ ...move, position: 3n, changed: false });
  expect(commits).toEqual([{ projection: 'counting', position: 2n }]);
});

test.each([
  { inPlace: undefined, state: 'rebuilding' },
  { inPlace: 1, state: 'rebuilding' },
  { inPlace: 2, state: 'current' },
  { inPlace: 3, state: 'newer' },
])('a projection of version 2 is $state while version $inPlace is in place', ({ inPlace, state }) => {
  const tracker = createProgressTracker([{ name: 'counting', version: 2 }]);
  tracker.moved({
    projection: 'counting',
    partition: 0,
    partitions: 1,
    position: 1n,
    changed: false,
    version: inPlace,
  });
  expect(tracker.state('counting')).toBe(state);
});

test.each([
  { inPlace: undefined, declared: '', state: 'current' },
  { inPlace: undefined, declared: 'other', state: 'rebuilding' },
  { inPlace: 'other', declared: undefined, state: 'rebuilding' },
  { inPlace: 'other', declared: 'other', state: 'current' },
])(
  'a projection of the variant $declared is $state while the variant $inPlace is in place',
  ({ inPlace, declared, state }) => {
    const tracker = createProgressTracker([
      { name: 'counting', version: 2, ...(declared !== undefined && { variant: declared }) },
    ]);
    const move = { projection: 'counting', partition: 0, partitions: 1, position: 1n, changed: false };
    tracker.moved({ ...move, version: 2, variant: inPlace });
    expect(tracker.state('counting')).toBe(state);
    tracker.moved({ ...move, version: 3, variant: inPlace });
    expect(tracker.state('counting')).toBe('newer');
  },
);

test('a wait for a projection that is being rebuilt ends at once', async () => {
  const tracker = createProgressTracker([{ name: 'counting', version: 2 }]);
  expect(await tracker.waitFor('counting', 1n, { timeoutMs: 2 ** 30 })).toBe(false);
});
