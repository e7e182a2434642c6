import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { clip } from '../../../../tests/support/clips.ts';
import { eventually } from '../../../../tests/support/eventually.ts';
import { createTusRig, type TusRig } from '../../../../tests/support/tusRig.ts';
import { collect } from '../../../objectStore/objectStoreContract.ts';

let rig: TusRig;
beforeAll(async () => {
  rig = await createTusRig();
}, 60_000);
afterAll(async () => rig[Symbol.asyncDispose]());

describe('after an interruption', () => {
  test('what arrived before the connection broke is kept', async () => {
    const path = await rig.begin();
    const socket = await rig.sendPart(path);
    await rig.arrived(path);
    socket.destroy();
    await eventually(() => rig.offsetOf(path), { what: 'the bytes are kept', holds: (offset) => offset === 2_000 });
  });

  test('a request that asks where the upload is ends one that still waits for bytes', async () => {
    const path = await rig.begin();
    using stuck = { socket: await rig.sendPart(path), [Symbol.dispose]: () => stuck.socket.destroy() };
    await eventually(() => rig.offsetOf(path), { what: 'the bytes are kept', holds: (offset) => offset === 2_000 });
    expect((await rig.append(path, 2_000, rig.movie.subarray(2_000))).headers.get('upload-video')).toBeTruthy();
  });

  test('two clients that send the same upload at the same time make one video', async () => {
    const path = await rig.begin();
    const client = (): Promise<unknown> => rig.send(rig.movie, { chunkSize: 2_000, path });
    await Promise.all([client(), client()]);
    const head = await rig.call('HEAD', path);
    const videoId = head.headers.get('upload-video')!;
    expect(head.headers.get('upload-offset')).toBe(String(rig.movie.length));
    expect(await collect(rig.features.objects.list(`originals/${videoId}/`))).toHaveLength(1);
  });

  test('an upload whose process died after the last byte is finished by the next question, or by the sweep', async () => {
    const [asked, swept] = [await rig.diedAtTheEnd(), await rig.diedAtTheEnd()];
    const [{ headers }, other] = await Promise.all([rig.call('HEAD', asked), rig.call('HEAD', asked)]);
    expect(headers.get('upload-video')).toBeTruthy();
    expect(other.headers.get('upload-video')).toBe(headers.get('upload-video'));
    await rig.createSweep().look();
    expect(await rig.isVideo(await rig.videoIdOf(swept))).toBe(true);
    expect(await rig.storedParts(swept)).toEqual([]);
  });
});

describe('an upload that is never finished', () => {
  test('is gone after its time, and the sweep leaves nothing of it', async () => {
    const path = await rig.begin();
    await rig.append(path, 0, rig.movie.subarray(0, 1_000));
    const videoId = await rig.videoIdOf(path);
    expect(await rig.pendingOf(videoId)).toBe(1);
    await rig.expire(path);
    for (const answer of [await rig.call('HEAD', path), await rig.append(path, 1_000, rig.movie.subarray(1_000))])
      expect(answer.status).toBe(410);
    expect(await rig.storedParts(path)).toHaveLength(1);
    await rig.createSweep().look();
    expect([(await rig.call('HEAD', path)).status, await rig.storedParts(path), await rig.pendingOf(videoId)]).toEqual([
      404,
      [],
      0,
    ]);
  });

  test('leaves no bytes that belong to no upload, but those of others stay', async () => {
    const path = await rig.begin();
    await rig.append(path, 0, rig.movie.subarray(0, 1_000));
    const lost = `uploads/${randomUUID()}/000000000-x`;
    await rig.features.objects.putFile(lost, await clip('plain'), 'application/octet-stream');
    await rig.createSweep().look();
    const kept = await collect(rig.features.objects.list('uploads/'));
    expect(kept).not.toContain(lost);
    expect(kept).toEqual(expect.arrayContaining(await rig.storedParts(path)));
    expect(await rig.storedParts(path)).toHaveLength(1);
  });
});
