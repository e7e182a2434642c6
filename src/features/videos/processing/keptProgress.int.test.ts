import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { v7 } from 'uuid';
import { clip } from '../../../../tests/support/clips.ts';
import { eventually } from '../../../../tests/support/eventually.ts';
import { createMediaRig, silent, type MediaRig } from '../../../../tests/support/mediaRig.ts';
import type { UploadProgress } from '../../../realtime/uploadProgress.ts';
import { createKeptProgress } from './keptProgress.ts';
import { pendingUploadsOf, progressOfPending } from './pendingUploads.ts';

let rig: MediaRig;
beforeEach(async () => {
  rig = await createMediaRig();
}, 60_000);
afterEach(async () => rig[Symbol.asyncDispose]());

test('the progress of an upload is reported at once, and kept once a second for each video', async () => {
  const [one, two] = [await rig.upload(await clip('plain')), await rig.upload(await clip('plain'))];
  const reported: number[] = [];
  let now = 0;
  const db = pendingUploadsOf(rig.db);
  const report = createKeptProgress({
    db,
    report: ({ progress }) => void reported.push(progress),
    logger: silent,
    clock: () => now,
  });
  const step = (videoId: string, progress: number): UploadProgress => ({
    userId: v7(),
    videoId,
    stage: 'transcoding',
    progress,
  });
  const kept = async (): Promise<unknown[]> => {
    const found = await progressOfPending(db, [one, two]);
    return [found.get(one)?.progress, found.get(two)?.progress];
  };
  const become = (wanted: unknown[]): Promise<unknown> =>
    eventually(kept, { what: `kept are ${wanted.join()}`, holds: (found) => found.join() === wanted.join() });

  expect(await kept()).toEqual([undefined, undefined]);
  report(step(one, 40));
  await become([40, undefined]);
  now = 999;
  report(step(one, 50));
  report(step(two, 60));
  await become([40, 60]);
  now = 1_000;
  report(step(one, 70));
  await become([70, 60]);
  expect(reported).toEqual([40, 50, 60, 70]);
});

test('a step for a video that no longer waits, or while PostgreSQL is away, fails nothing', async () => {
  const reported: number[] = [];
  const report = createKeptProgress({
    db: pendingUploadsOf(rig.db),
    report: ({ progress }) => void reported.push(progress),
    logger: silent,
  });
  report({ userId: v7(), videoId: v7(), stage: 'publishing', progress: 95 });
  report({ userId: v7(), videoId: v7(), stage: 'ready', progress: 100 });
  expect(reported).toEqual([95, 100]);
});
