import { v7 } from 'uuid';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { clip } from '../../tests/support/clips.ts';
import { createMediaRig, silent, type MediaRig } from '../../tests/support/mediaRig.ts';
import { createOrphanSweep } from './orphans.ts';

let rig: MediaRig;
beforeAll(async () => { rig = await createMediaRig(); }, 60_000);
afterAll(async () => rig[Symbol.asyncDispose]());

test('a file whose upload was never recorded goes at the second look; one that is recorded by then, or was before, stays', async () => {
  const path = await clip('plain');
  const recorded = await rig.upload(path);
  const [old, fresh] = [v7({ msecs: Date.now() - 3 * 24 * 3_600_000 }), v7()];
  for (const id of [old, fresh]) await rig.objects.putFile(`originals/${id}/x.mp4`, path, 'video/mp4');
  const sweep = createOrphanSweep({ objects: rig.objects, store: rig.store, logger: silent });
  await sweep.look();
  for (const id of [recorded, old, fresh]) expect(await rig.keys(id)).toHaveLength(1);
  const late = await rig.upload(path);
  await sweep.look();
  expect(await Promise.all([recorded, late, old, fresh].map((id) => rig.keys(id)))).toMatchObject([{ length: 1 }, { length: 1 }, { length: 0 }, { length: 0 }]);
});
