import type { Logger } from 'pino';
import { v7 } from 'uuid';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { clip } from '../../../../tests/support/clips.ts';
import { collectingLog } from '../../../../tests/support/httpApp.ts';
import { createMediaRig, silent, type MediaRig } from '../../../../tests/support/mediaRig.ts';
import { collect } from '../../../objectStore/objectStoreContract.ts';
import { createFirstEventId } from '../../../core/logId.ts';
import { createOrphanSweep, type OrphanSweep } from './orphans.ts';

let rig: MediaRig;
beforeEach(async () => {
  rig = await createMediaRig();
}, 60_000);
afterEach(async () => rig[Symbol.asyncDispose]());

const createSweep = (logger: Logger = silent): OrphanSweep =>
  createOrphanSweep({
    objects: rig.objects,
    store: rig.store,
    scratch: rig.scratch,
    logId: createFirstEventId(rig.store),
    logger,
  });

test('the second look removes the files of uploads that were never recorded, and keeps those recorded before or between', async () => {
  const path = await clip('plain');
  const recorded = await rig.upload(path);
  const [old, fresh] = [v7({ msecs: Date.now() - 3 * 24 * 3_600_000 }), v7()];
  for (const id of [old, fresh]) await rig.objects.putFile(`originals/${id}/x.mp4`, path, 'video/mp4');
  const sweep = createSweep();
  await sweep.look();
  for (const id of [recorded, old, fresh]) expect(await rig.keys(id)).toHaveLength(1);
  const late = await rig.upload(path);
  await sweep.look();
  expect(await Promise.all([recorded, late, old, fresh].map((id) => rig.keys(id)))).toMatchObject([
    { length: 1 },
    { length: 1 },
    { length: 0 },
    { length: 0 },
  ]);
});

test('while the log is empty, nothing is removed', async () => {
  const id = v7();
  await rig.objects.putFile(`originals/${id}/x.mp4`, await clip('plain'), 'video/mp4');
  const sweep = createSweep();
  for (let looks = 0; looks < 3; looks += 1) await sweep.look();
  expect(await rig.keys(id)).toHaveLength(1);
});

test('when another system uses the same store, its files stay, it finds our mark, and the warning says what to do', async () => {
  const path = await clip('plain');
  await rig.upload(path);
  const theirs = v7();
  await rig.objects.putFile(`originals/${theirs}/x.mp4`, path, 'video/mp4');
  const { logger, lines } = collectingLog();
  const sweep = createSweep(logger);
  await sweep.look();
  const other = `owner/${v7()}`;
  await rig.objects.putFile(other, path, 'text/plain');
  for (let looks = 0; looks < 2; looks += 1) await sweep.look();
  expect(await rig.keys(theirs)).toHaveLength(1);
  expect(lines.at(-1)).toMatchObject({ level: 40, marks: [other], msg: expect.stringMatching(/MINIO_BUCKET/) });
  expect((await collect(rig.objects.list('owner/'))).sort()).toEqual(
    [other, `owner/${await createFirstEventId(rig.store)()}`].sort(),
  );
});
