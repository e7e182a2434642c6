import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { clip } from '../../../../tests/support/clips.ts';
import { eventually } from '../../../../tests/support/eventually.ts';
import { createMediaRig, startWorker, type MediaRig } from '../../../../tests/support/mediaRig.ts';
import { ObjectStoreUnavailable, type ObjectStore } from '../../../objectStore/objectStore.ts';
import { createMoveFiles, type MoveFiles } from './moveFiles.ts';

let rig: MediaRig;
let moveFiles: MoveFiles;
beforeEach(async () => {
  rig = await createMediaRig({ pollSeconds: 0.5 });
  moveFiles = mover();
}, 60_000);
afterEach(async () => rig[Symbol.asyncDispose]());

const mover = (objects: Partial<ObjectStore> = {}): MoveFiles =>
  createMoveFiles({ store: rig.store, objects: { ...rig.objects, ...objects }, db: rig.db });
const move = (videoId: string, by = moveFiles, now = new Date()): Promise<void> =>
  by(videoId, { correlationId: 'test', now });
/** When no signed URL from before works any more. */
const inAnHour = (): Date => new Date(Date.now() + 3_600_000);
const types = async (videoId: string): Promise<string[]> => (await rig.events(videoId)).map(({ type }) => type);
const places = async (videoId: string): Promise<string[]> =>
  (await rig.keys(videoId)).map((key) => key.split('/')[0]!).toSorted();

const PUBLIC = ['originals', 'videos', 'videos'];
const PRIVATE = ['originals', 'private', 'private'];
const BOTH = ['originals', 'private', 'private', 'videos', 'videos'];

/** A video with the files that a worker has made. */
async function ready(visibility: 'public' | 'private' = 'public'): Promise<string> {
  const videoId = await rig.upload(await clip('plain'), visibility);
  const prefix = visibility === 'private' ? 'private' : 'videos';
  for (const name of ['a.mp4', 'hls-b/master.m3u8'])
    await rig.objects.putFile(`${prefix}/${videoId}/${name}`, await clip('plain'), 'video/mp4');
  return videoId;
}

test('a worker puts the files of a private upload where nobody else can read them', async () => {
  const videoId = await rig.upload(await clip('plain'), 'private');
  await startWorker(rig);
  await eventually(async () => (await types(videoId)).includes('VideoProcessed'), { what: 'the video is ready' });
  await eventually(async () => (await places(videoId)).join() === PRIVATE.join(), { what: 'its files are private' });
});

test('a worker moves all files of a video that becomes private, and back, and records it once', async () => {
  const videoId = await ready();
  await startWorker(rig, { inspect: () => Promise.reject(new Error('not now')) });
  await rig.show(videoId, 'private');
  await eventually(async () => (await places(videoId)).join() === PRIVATE.join(), { what: 'the files are private' });
  await rig.show(videoId, 'unlisted');
  await eventually(async () => (await places(videoId)).join() === BOTH.join(), { what: 'the files are public' });
  await rig.show(videoId, 'public');
  await move(videoId);
  expect((await types(videoId)).filter((type) => type === 'VideoFilesMoved')).toHaveLength(2);
});

test('whoever was given a signed URL while a video became public can use it until it ends', async () => {
  const videoId = await ready();
  await rig.show(videoId, 'private');
  await move(videoId);
  await rig.show(videoId, 'public');
  await move(videoId);
  await rig.deliverLast(videoId);
  await move(videoId);
  expect(await places(videoId)).toEqual(BOTH);
  await move(videoId, moveFiles, inAnHour());
  expect(await places(videoId)).toEqual(PUBLIC);
  const { rows } = await rig.database.pool.query<object>(
    `select extract(epoch from start_after - created_on)::int as delay from reelstream_jobs.job
     where name = 'moved' and data->>'videoId' = $1`,
    [videoId],
  );
  expect(rows).toEqual([{ delay: 2 * 60 * 60 }]);
});

test('private copies of a video that is private again stay, and its public files go at once', async () => {
  const videoId = await ready();
  for (const visibility of ['private', 'public', 'private'] as const) {
    await rig.show(videoId, visibility);
    await move(videoId);
  }
  expect(await places(videoId)).toEqual(PRIVATE);
  await move(videoId, moveFiles, inAnHour());
  expect(await places(videoId)).toEqual(PRIVATE);
});

test('a move that is cut anywhere is completed by the next one', async () => {
  for (const [step, calls] of [
    ['copy', 1],
    ['copy', 2],
    ['remove', 1],
  ] as const) {
    const videoId = await ready();
    await rig.show(videoId, 'private');
    let left: number = calls;
    const cut = async (...args: never[]): Promise<void> => {
      left -= 1;
      if (left === 0) throw new ObjectStoreUnavailable('away');
      await (rig.objects[step] as (...args: never[]) => Promise<void>)(...args);
    };
    await expect(move(videoId, mover({ [step]: cut }))).rejects.toThrow('away');
    await move(videoId);
    expect([step, await places(videoId)]).toEqual([step, PRIVATE]);
    expect((await types(videoId)).filter((type) => type === 'VideoFilesMoved')).toHaveLength(1);
  }
});

test('when the visibility changes back while the files are copied, they stay where they were', async () => {
  const videoId = await ready();
  await rig.show(videoId, 'private');
  let changed = false;
  const copy: ObjectStore['copy'] = async (from, to) => {
    await rig.objects.copy(from, to);
    if (!changed) await rig.show(videoId, 'public');
    changed = true;
  };
  await move(videoId, mover({ copy }));
  expect([await places(videoId), await types(videoId)]).toEqual([
    PUBLIC,
    ['VideoUploaded', 'VideoVisibilityChanged', 'VideoVisibilityChanged'],
  ]);
});

test('a move and a move back at once lose no file, in whatever order they run', async () => {
  const videoId = await ready();
  for (let round = 0; round < 5; round++) {
    await rig.show(videoId, 'private');
    const away = move(videoId);
    await rig.show(videoId, 'public');
    await Promise.all([away, move(videoId), move(videoId)]);
    await move(videoId, moveFiles, inAnHour());
    expect(await places(videoId)).toEqual(PUBLIC);
  }
});

test('a video that is deleted while its files are copied leaves none', async () => {
  const videoId = await ready();
  await rig.show(videoId, 'private');
  const copy: ObjectStore['copy'] = async (from, to) => {
    await rig.remove(videoId);
    await rig.objects.copy(from, to);
  };
  await move(videoId, mover({ copy }));
  expect(await rig.keys(videoId)).toEqual([]);
});

test('files that a worker stores while they are moved follow', async () => {
  const videoId = await rig.upload(await clip('plain'));
  const putFile: ObjectStore['putFile'] = async (...args) => {
    await rig.objects.putFile(...args);
    if ((await types(videoId)).includes('VideoFilesMoved')) return;
    await rig.show(videoId, 'private');
    await move(videoId);
  };
  await startWorker(rig, { objects: { ...rig.objects, putFile } });
  await eventually(async () => (await types(videoId)).includes('VideoProcessed'), { what: 'the video is ready' });
  await eventually(async () => (await places(videoId)).join() === PRIVATE.join(), { what: 'all files are private' });
});
