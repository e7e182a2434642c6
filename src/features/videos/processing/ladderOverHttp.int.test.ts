import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import express from 'express';
import { clip } from '../../../../tests/support/clips.ts';
import { eventually } from '../../../../tests/support/eventually.ts';
import { playedSeconds } from '../../../../tests/support/hlsPlayer.ts';
import { createMediaRig, startWorker, type MediaRig } from '../../../../tests/support/mediaRig.ts';
import { createMediaHandler } from '../../../objectStore/mediaHandler.ts';
import { createSignedPaths } from '../../../objectStore/signedPaths.ts';
import { createExtrasWorker } from './extrasWorker.ts';

let rig: MediaRig;
let server: Server;
/** The ranges that were asked for, with the answers to them. */
const answered: (readonly [range: string, status: number, contentRange: unknown])[] = [];
beforeAll(async () => {
  rig = await createMediaRig();
  await startWorker(rig);
  const app = express();
  app.use(({ headers: { range } }, response, next) => {
    response.on('finish', () => {
      if (range !== undefined) answered.push([range, response.statusCode, response.getHeader('content-range')]);
    });
    next();
  });
  const signed = createSignedPaths({ secrets: () => ['test'] });
  app.use('/media', createMediaHandler({ root: join(rig.folder, 'objects'), signed }));
  server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
}, 60_000);
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await rig[Symbol.asyncDispose]();
});

test('FFmpeg plays every rung of a ladder and its sound over HTTP, by ranges that are answered exactly', async () => {
  const videoId = await rig.upload(await clip('fiveSeconds'));
  const types = async (): Promise<string[]> => (await rig.events(videoId)).map(({ type }) => type);
  await eventually(types, { what: 'it can be played', holds: (all) => all.includes('VideoProcessed'), within: 30_000 });
  const job = { videoId, correlationId: 'c', causationId: 'e' };
  const run = { signal: AbortSignal.timeout(30_000), confirmClaim: () => Promise.resolve() };
  await createExtrasWorker(await rig.workerOptions()).handle(job, run);
  const master = (await rig.keys(videoId)).find((key) => key.endsWith('master.m3u8'))!;
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/media/${master}`;
  // 240 and 320 pixels, and the sound.
  for (const stream of ['0:v:0', '0:v:1', '0:a:0']) expect(await playedSeconds(url, stream)).toBeCloseTo(5, 0);
  const closed = answered.filter(([range]) => /^bytes=\d+-\d+$/.test(range));
  expect(closed.length).toBeGreaterThan(0);
  for (const [range, status, contentRange] of closed)
    expect([status, contentRange]).toEqual([206, expect.stringMatching(new RegExp(`^bytes ${range.slice(6)}/\\d+$`))]);
}, 60_000);
