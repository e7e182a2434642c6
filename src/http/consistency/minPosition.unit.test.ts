import { expect, test } from '@jest/globals';
import { createProgressTracker } from '../../projecting/progress/progressTracker.ts';
import { untilMinPosition } from './minPosition.ts';

const request = { minPosition: 5n, signal: new AbortController().signal };

test('a query is refused at once when one of its projections is being rebuilt', async () => {
  const progress = createProgressTracker([
    { name: 'videos', version: 2 },
    { name: 'likes', version: 1 },
  ]);
  const move = { partition: 0, partitions: 1, changed: true, version: 1 };
  progress.moved({ ...move, projection: 'likes', position: 5n });
  progress.moved({ ...move, projection: 'videos', position: 4n });
  await expect(untilMinPosition(progress, ['likes', 'videos'], request)).rejects.toMatchObject({
    code: 'projection_rebuilding',
    retryAfter: 5,
  });
  // The old tables are far enough.
  progress.moved({ ...move, projection: 'videos', position: 5n });
  await untilMinPosition(progress, ['likes', 'videos'], request);
});
