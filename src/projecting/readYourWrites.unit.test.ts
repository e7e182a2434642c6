import { describe, expect, test } from '@jest/globals';
import { createProgressTracker, type ProgressTracker } from './progress/progressTracker.ts';
import { createReadYourWrites, type ReadYourWrites } from './readYourWrites.ts';

const views = { name: 'views', handles: ['Viewed'] };
const likes = { name: 'likes', handles: ['Liked', 'Unliked'] };
const days = { name: 'days', handles: ['Viewed', 'Liked'] };

function setUp(): { progress: ProgressTracker; readModels: ReadYourWrites } {
  const progress = createProgressTracker();
  return { progress, readModels: createReadYourWrites({ projections: [views, likes, days], progress }) };
}
const moved = (projection: string, position: bigint): Parameters<ProgressTracker['moved']>[0] => ({
  projection,
  partition: 0,
  partitions: 1,
  position,
  changed: true,
});
const liked = { stream: 'like-1', position: 5n, types: ['Liked'] };
const { signal } = new AbortController();

describe('the answer to a command', () => {
  test('waits for every projection that handles one of its events, and for no other', async () => {
    const { progress, readModels } = setUp();
    const shown = readModels.isShown(liked);
    progress.moved(moved('likes', 5n));
    progress.moved(moved('days', 5n));
    await expect(shown).resolves.toBe(true);
  });

  test('does not wait for a projection that is not awaited', async () => {
    const progress = createProgressTracker();
    const projections = [likes, { ...days, awaited: false } as const];
    const readModels = createReadYourWrites({ projections, progress });
    progress.moved(moved('likes', 5n));
    await expect(readModels.isShown(liked)).resolves.toBe(true);
  });

  test('does not wait when no projection handles its events', async () => {
    const { readModels } = setUp();
    await expect(readModels.isShown({ ...liked, types: ['LoggedIn'] })).resolves.toBe(true);
  });

  test('waits for some of them when asked about some', async () => {
    const { progress, readModels } = setUp();
    progress.moved(moved('likes', 5n));
    await expect(readModels.isShown(liked, { only: [likes, views] })).resolves.toBe(true);
  });

  test('says that the command is not shown when its client goes away', async () => {
    const { readModels } = setUp();
    await expect(readModels.isShown(liked, { signal: AbortSignal.abort() })).resolves.toBe(false);
  });
});

describe('a query', () => {
  test('waits until all projections that it reads have passed the position', async () => {
    const { progress, readModels } = setUp();
    const fresh = readModels.untilFresh([views, days], { minPosition: 9n, signal });
    progress.moved(moved('views', 9n));
    progress.moved(moved('days', 12n));
    await expect(fresh).resolves.toBeUndefined();
  });

  test('fails as projection_behind when one of them stays behind', async () => {
    const { progress, readModels } = setUp();
    progress.moved(moved('views', 9n));
    progress.moved(moved('days', 8n));
    const fresh = readModels.untilFresh([views, days], { minPosition: 9n, signal });
    await expect(fresh).rejects.toMatchObject({ code: 'projection_behind', retryAfter: 1 });
  });

  test('fails at once as projection_rebuilding when an older version of one of them is in place', async () => {
    const progress = createProgressTracker([
      { name: 'views', version: 2 },
      { name: 'days', version: 1 },
    ]);
    const readModels = createReadYourWrites({ projections: [views, likes, days], progress });
    progress.moved({ ...moved('days', 9n), version: 1 });
    progress.moved({ ...moved('views', 8n), version: 1 });
    const fresh = readModels.untilFresh([days, views], { minPosition: 9n, signal });
    await expect(fresh).rejects.toMatchObject({ code: 'projection_rebuilding', retryAfter: 5 });
    // The old tables are far enough.
    progress.moved({ ...moved('views', 9n), version: 1 });
    await expect(readModels.untilFresh([days, views], { minPosition: 9n, signal })).resolves.toBeUndefined();
  });
});
