import { randomBytes, randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { Redis } from 'ioredis';
import jwt from 'jsonwebtoken';
import type { Socket } from 'socket.io-client';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '../../tests/support/eventually.ts';
import { silent } from '../../tests/support/mediaRig.ts';
import { OWNER, socketToken as tokenOf, useRealtime } from '../../tests/support/realtimeRig.ts';
import { createEventCodec } from '../core/eventCodec.ts';
import { openPostgresUserKeys } from '../postgres/postgresUserKeys.ts';
import { withCodec } from '../eventStore/withCodec.ts';
import { eventTypes } from '../features/index.ts';
import type { UploadProgress } from './uploadProgress.ts';
import { createProgressEmitter, type ProgressBridge } from './redisSockets.ts';
import { fixedKeys } from '../core/keyRing.ts';

const namespace = `test-${randomUUID()}`;
const rig = useRealtime();
const { connect } = rig;
const workers: ProgressBridge[] = [];

function startMediaWorker(redis: Redis): ProgressBridge {
  const worker = createProgressEmitter({ redis, namespace }, silent);
  workers.push(worker);
  return worker;
}

function heardOn(socket: Socket, userId: string): object[] {
  const heard: object[] = [];
  socket.on(`uploadProgress-${userId}`, (step: object) => heard.push(step));
  return heard;
}

const step = (userId: string, videoId: string, progress: number): UploadProgress => ({
  userId,
  videoId,
  stage: 'transcoding',
  progress,
});

afterEach(() => {
  for (const worker of workers.splice(0)) worker.close();
});

describe('upload progress', () => {
  test('reaches the uploader’s own sockets on PORT with video and stage, and every socket on SOCKET_PORT as a bare number', async () => {
    const { realtime, main, legacy } = await rig.startApi();
    const onLegacy = [heardOn(await connect(legacy), 'u1'), heardOn(await connect(legacy, tokenOf('u1')), 'u1')];
    const own = [heardOn(await connect(main, tokenOf('u1')), 'u1'), heardOn(await connect(main, tokenOf('u1')), 'u1')];
    const others = [heardOn(await connect(main, tokenOf('u2')), 'u1'), heardOn(await connect(main), 'u1')];
    realtime.reportProgress(step('u1', 'v1', 50));
    realtime.reportProgress({ ...step('u1', 'v1', 100), stage: 'ready' });
    await eventually(() => [...onLegacy, ...own].every((heard) => heard.length === 2), { what: 'all have heard' });
    for (const heard of onLegacy) expect(heard).toEqual([{ progress: 50 }, { progress: 100 }]);
    for (const heard of own)
      expect(heard).toEqual([
        { progress: 50, videoId: 'v1', stage: 'transcoding' },
        { progress: 100, videoId: 'v1', stage: 'ready' },
      ]);
    expect(others).toEqual([[], []]);
  });

  test('never goes back, not even when a transcode starts again', async () => {
    const { realtime, main } = await rig.startApi();
    const heard = heardOn(await connect(main, tokenOf('u1')), 'u1') as { progress: number; videoId: string }[];
    for (const progress of [0, 40, 70, 40, 60, 70, 80, 100, 90]) realtime.reportProgress(step('u1', 'v1', progress));
    realtime.reportProgress(step('u1', 'v2', 10));
    await eventually(() => heard.some(({ videoId }) => videoId === 'v2'), { what: 'the other video is heard of' });
    expect(heard.filter(({ videoId }) => videoId === 'v1').map(({ progress }) => progress)).toEqual([
      0, 40, 70, 80, 100,
    ]);
  });
});

describe('the handshake', () => {
  test.each([
    ['nonsense'],
    [jwt.sign({ id: 'u1' }, 'another secret')],
    [tokenOf('u1', -1)],
    [`${tokenOf('u1')} and more`],
    [{}],
    [7],
  ])('with the token %j is refused with a code', async (token) => {
    const { main, legacy } = await rig.startApi();
    for (const url of [main, legacy])
      await expect(connect(url, token)).rejects.toMatchObject({ data: { code: 'token_invalid' } });
  });

  test('without a token, or with an empty one, is accepted', async () => {
    const { main } = await rig.startApi();
    await connect(main);
    await connect(main, '');
  });

  test('leaves other requests on the port to the HTTP application', async () => {
    const { main } = await rig.startApi();
    expect((await fetch(`${main}/anything`)).status).toBe(418);
  });
});

describe('subscribe', () => {
  const like = async (videoId: string): Promise<string> => (await rig.like(videoId))[0]!;

  test('is answered with a position; events follow, and continue without gap or repeat after a reconnect with `since`', async () => {
    const { main } = await rig.startApi();
    const videoId = randomUUID();
    const heard: { position: string }[] = [];
    let socket = await connect(main);
    socket.on('event', (event: { position: string }) => heard.push(event));
    expect(await socket.emitWithAck('subscribe', { topics: [`video:${videoId}`] })).toEqual({
      ok: true,
      position: expect.stringMatching(/^\d+$/),
    });
    const written = [await like(videoId), await like(videoId)];
    await eventually(() => heard.length === 2, { what: 'both are heard' });
    expect(heard[0]).toEqual({
      position: written[0],
      type: 'VideoLiked',
      time: '2025-01-01T00:00:00.000Z',
      data: { videoId },
    });
    socket.disconnect();
    written.push(await like(videoId), await like(videoId));
    socket = await connect(main);
    socket.on('event', (event: { position: string }) => heard.push(event));
    expect(await socket.emitWithAck('subscribe', { topics: [`video:${videoId}`], since: written[1] })).toEqual({
      ok: true,
      position: written[1],
    });
    written.push(await like(videoId));
    await eventually(() => heard.length === 5, { what: 'all are heard' });
    expect(heard.map(({ position }) => position)).toEqual(written);
  });

  test('to "me" gets events of the user’s own videos, and needs a token', async () => {
    const { main } = await rig.startApi();
    const owner = await connect(main, tokenOf('owner'));
    const heard: object[] = [];
    owner.on('event', (event: object) => heard.push(event));
    await owner.emitWithAck('subscribe', { topics: ['me'] });
    await like(randomUUID());
    await eventually(() => heard.length === 1, { what: 'it is heard' });
    expect(await (await connect(main)).emitWithAck('subscribe', { topics: ['me'] })).toMatchObject({
      ok: false,
      error: { code: 'token_required' },
    });
  });

  test('to the feed gets a deletion only if the event says that the video was public; older events do not say so', async () => {
    const keys = await openPostgresUserKeys({ pool: rig.database().pool, masterKeys: fixedKeys(randomBytes(32)) });
    const { main } = await rig.startApi({
      store: withCodec(rig.store(), createEventCodec({ types: eventTypes, keys })),
    });
    const deletion = async (schemaVersion: number, more: object): Promise<string> => {
      const videoId = randomUUID();
      const data = { videoId, ownerId: OWNER, at: '2025-01-01T00:00:00.000Z', ...more };
      await rig
        .store()
        .append(
          `video-${videoId}`,
          [{ id: randomUUID(), type: 'VideoDeleted', data, metadata: { correlationId: 'c', schemaVersion } }],
          'any',
        );
      return videoId;
    };
    const heardBy = async (token: string | undefined, topic: string): Promise<string[]> => {
      const socket = await connect(main, token);
      const heard: string[] = [];
      socket.on('event', ({ data }: { data: { videoId: string } }) => heard.push(data.videoId));
      await socket.emitWithAck('subscribe', { topics: [topic] });
      return heard;
    };
    const [strangers, own] = [await heardBy(undefined, 'feed'), await heardBy(tokenOf(OWNER), 'me')];
    const all = [
      await deletion(1, {}),
      await deletion(2, { wasPublic: false }),
      await deletion(2, { wasPublic: true }),
    ];
    await eventually(() => strangers.length > 0 && own.length === all.length, { what: 'the last deletion is heard' });
    expect(own).toEqual(all);
    expect(strangers).toEqual(all.slice(-1));
  });

  test('replaces the earlier subscription', async () => {
    const { legacy } = await rig.startApi();
    const [before, after] = [randomUUID(), randomUUID()];
    const socket = await connect(legacy);
    const heard: { data: object }[] = [];
    socket.on('event', (event: { data: object }) => heard.push(event));
    for (const id of [before, after]) await socket.emitWithAck('subscribe', { topics: [`video:${id}`] });
    await like(before);
    await like(after);
    await eventually(() => heard.length > 0, { what: 'the second is heard' });
    expect(heard.map(({ data }) => data)).toEqual([{ videoId: after }]);
  });

  test.each([
    [undefined],
    ['feed'],
    [{ topics: [] }],
    [{ topics: ['user:1'] }],
    [{ topics: ['video:1'] }],
    [{ topics: ['me:owner'] }],
    [{ topics: ['feed'], since: 'x' }],
    [{ topics: ['feed'], since: -1 }],
  ])('with %j is refused', async (message) => {
    const { main } = await rig.startApi();
    expect(await (await connect(main)).emitWithAck('subscribe', message)).toMatchObject({
      ok: false,
      error: { code: 'invalid_subscription' },
    });
  });

  test('from a position beyond the end of the log is refused', async () => {
    const { main } = await rig.startApi();
    expect(
      await (await connect(main)).emitWithAck('subscribe', { topics: ['feed'], since: '999999999999' }),
    ).toMatchObject({ ok: false, error: { code: 'position_unknown' } });
  });
});

const { REDIS_URL } = process.env;
if (REDIS_URL === undefined)
  process.stderr.write(
    '\nSKIPPED: sockets across processes are not tested, because REDIS_URL does not name a Redis.\n',
  );
(REDIS_URL === undefined ? describe.skip : describe)('with Redis', () => {
  let redis: Redis;
  beforeAll(() => {
    redis = new Redis(REDIS_URL!, { lazyConnect: true });
  });
  afterAll(() => redis.disconnect());

  test('progress from one process or a media worker reaches the sockets of every API process, once', async () => {
    const [first, second] = [
      await rig.startApi({ redis: { redis, namespace } }),
      await rig.startApi({ redis: { redis, namespace } }),
    ];
    const worker = startMediaWorker(redis);
    const [userId, videoId] = [randomUUID(), randomUUID()];
    const heard = await Promise.all(
      [first.main, second.main].map(
        async (url) => heardOn(await connect(url, tokenOf(userId)), userId) as { progress: number; videoId: string }[],
      ),
    );
    const onLegacy = await Promise.all(
      [first.legacy, second.legacy].map(async (url) => heardOn(await connect(url), userId)),
    );
    const ofThis = (): number[][] =>
      heard.map((each) => each.filter((one) => one.videoId === videoId).map(({ progress }) => progress));
    // The adapters subscribe in the background.
    const fromWorker = new Set<string>();
    await eventually(
      () => {
        const [one, other] = [randomUUID(), randomUUID()];
        fromWorker.add(one);
        worker.report(step(userId, one, 0));
        first.realtime.reportProgress(step(userId, other, 0));
        return heard.every((each) => new Set(each.map((progress) => fromWorker.has(progress.videoId))).size === 2);
      },
      { what: 'the processes hear each other' },
    );
    first.realtime.reportProgress(step(userId, videoId, 10));
    await eventually(() => ofThis().every((each) => each.length === 1), { what: 'all have heard the first' });
    worker.report(step(userId, videoId, 60));
    await eventually(() => ofThis().every((each) => each.length === 2), { what: 'all have heard the second' });
    expect(ofThis()).toEqual(Array(2).fill([10, 60]));
    // As within one process: the other port gets a number, and nothing that identifies the video.
    for (const each of onLegacy) {
      await eventually(() => each.some((message) => isDeepStrictEqual(message, { progress: 60 })), {
        what: 'the port of the original server has it too',
      });
      expect(each.flatMap(Object.keys)).toEqual(each.map(() => 'progress'));
    }
  });

  test('connections that break are made again, and progress crosses as before', async () => {
    const [first, second] = [
      await rig.startApi({ redis: { redis, namespace } }),
      await rig.startApi({ redis: { redis, namespace } }),
    ];
    const userId = randomUUID();
    const heard = heardOn(await connect(second.main, tokenOf(userId)), userId);
    const crosses = (): Promise<boolean> =>
      eventually(
        () => {
          first.realtime.reportProgress(step(userId, randomUUID(), 1));
          return heard.length > 0;
        },
        { what: 'progress crosses' },
      );
    await crosses();
    const list = async (): Promise<string[]> =>
      String(await redis.client('LIST'))
        .split('\n')
        .filter((line) => line.includes(`name=${namespace}:sockets`));
    const own = await eventually(list, { what: 'all four are there by name', holds: ({ length }) => length === 4 });
    for (const line of own) await redis.client('KILL', 'ID', /id=(\d+)/.exec(line)![1]!);
    heard.splice(0);
    await crosses();
    await eventually(async () => (await list()).length === 4, { what: 'all are back' });
  });
});

test('without Redis, the sockets of the same process still get progress', async () => {
  const redis = new Redis('redis://127.0.0.1:9', { lazyConnect: true });
  redis.on('error', () => undefined);
  const { realtime, main, close } = await rig.startApi({ redis: { redis, namespace } });
  const heard = heardOn(await connect(main, tokenOf('u1')), 'u1');
  const worker = startMediaWorker(redis);
  for (let progress = 1; progress <= 100; progress++) {
    realtime.reportProgress(step('u1', 'v1', progress));
    worker.report(step('u1', 'v1', progress));
  }
  await eventually(() => heard.length === 100, { what: 'all is heard' });
  for (const each of workers.splice(0)) each.close();
  await close();
  redis.disconnect();
});
