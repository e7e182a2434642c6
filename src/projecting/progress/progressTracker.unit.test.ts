import { expect, test } from '@jest/globals';
import type { ProjectionCommit } from '../../core/projectionProgress.ts';
import { createProgressTracker } from './progressTracker.ts';

test('a tracker tells of commits that changed rows, and of no others', () => {
  const tracker = createProgressTracker();
  const commits: ProjectionCommit[] = [];
  tracker.onCommit((commit) => commits.push(commit));
  const move = { projection: 'counting', partition: 0, partitions: 1 };
  tracker.moved({ ...move, position: 1n, changed: false });
  expect([tracker.position('counting'), commits]).toEqual([1n, []]);
  tracker.moved({ ...move, position: 2n, changed: true });
  // Heard of already.
  tracker.moved({ ...move, position: 2n, changed: true });
  tracker.moved({ ...move, position: 3n, changed: false });
  expect(commits).toEqual([{ projection: 'counting', position: 2n }]);
});
