import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Redis } from 'ioredis';
import jwt from 'jsonwebtoken';
import { io, type Socket } from 'socket.io-client';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../tests/support/database.ts';
import { eventually } from '../../tests/support/eventually.ts';
import { silent } from '../../tests/support/mediaRig.ts';
import type { EventStore } from '../eventStore/eventStore.ts';
import { createPostgresEventStore } from '../eventStore/postgresEventStore.ts';
import type { UploadProgress } from '../media/progress.ts';
import { createProgressEmitter, type ProgressBridge } from './redisSockets.ts';
import { createRealtime, type Realtime } from './realtime.ts';

const SECRET = 'secret';
const namespace = `test-${randomUUID()}`;
const authenticate = (token: string): { id: string } => jwt.verify(token, SECRET, { algorithms: ['HS256'] }) as { id: string };
const tokenOf = (id: string, seconds = 60): string => jwt.sign({ id }, SECRET, { expiresIn: seconds });

/** An API process, as far as its sockets go. */
interface Api {
  readonly realtime: Realtime;
  readonly main: string;
  readonly legacy: string;
  close(): Promise<void>;
}

let database: TestDatabase;
let store: EventStore;
const sockets: Socket[] = [];
const apis: Api[] = [];
const workers: ProgressBridge[] = [];

async function listening(): Promise<[Server, string]> {
  const server = createServer((_request, response) => response.writeHead(418).end()).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return [server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`];
}

async function startApi(redis?: Redis): Promise<Api> {
  const [[http, main], [legacyHttp, legacy]] = await Promise.all([listening(), listening()]);
  const realtime = createRealtime({ http, legacyHttp, authenticate, store, redis: redis && { redis, namespace }, logger: silent });
  const close = async (): Promise<void> => {
    await realtime.close();
    await Promise.all([http, legacyHttp].map((server) => new Promise((resolve) => server.close(resolve))));
  };
  const api = { realtime, main, legacy, close };
  apis.push(api);
  return api;
}

async function connect(url: string, token?: unknown): Promise<Socket> {
  const socket = io(url, { auth: token === undefined ? {} : { token }, transports: ['websocket'], forceNew: true, reconnection: false });
  sockets.push(socket);
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('connect_error', reject));
  return socket;
}

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

const step = (userId: string, videoId: string, progress: number): UploadProgress => ({ userId, videoId, stage: 'transcoding', progress });

beforeAll(async () => {
  database = await createTestDatabase();
  store = createPostgresEventStore({ pool: database.pool });
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.disconnect();
  for (const worker of workers.splice(0)) worker.close();
  await Promise.all(apis.splice(0).map((api) => api.close()));
});
afterAll(async () => {
  await store.close();
  await database[Symbol.asyncDispose]();
});

describe('upload progress', () => {
  test('reaches the uploader’s own sockets on the API’s port with the video and the stage, and every socket on the other port as a bare number', async () => {
    const { realtime, main, legacy } = await startApi();
    const onLegacy = [heardOn(await connect(legacy), 'u1'), heardOn(await connect(legacy, tokenOf('u1')), 'u1')];
    const own = [heardOn(await connect(main, tokenOf('u1')), 'u1'), heardOn(await connect(main, tokenOf('u1')), 'u1')];
    const others = [heardOn(await connect(main, tokenOf('u2')), 'u1'), heardOn(await connect(main), 'u1')];
    realtime.reportProgress(step('u1', 'v1', 50));
    realtime.reportProgress({ ...step('u1', 'v1', 100), stage: 'ready' });
    await eventually(() => [...onLegacy, ...own].every((heard) => heard.length === 2), { what: 'all have heard' });
    for (const heard of onLegacy) expect(heard).toEqual([{ progress: 50 }, { progress: 100 }]);
    for (const heard of own) expect(heard).toEqual([{ progress: 50, videoId: 'v1', stage: 'transcoding' }, { progress: 100, videoId: 'v1', stage: 'ready' }]);
    expect(others).toEqual([[], []]);
  });

  test('never falls back, also when a transcode begins again', async () => {
    const { realtime, main } = await startApi();
    const heard = heardOn(await connect(main, tokenOf('u1')), 'u1') as { progress: number; videoId: string }[];
    for (const progress of [0, 40, 70, 40, 60, 70, 80, 100, 90]) realtime.reportProgress(step('u1', 'v1', progress));
    realtime.reportProgress(step('u1', 'v2', 10));
    await eventually(() => heard.some(({ videoId }) => videoId === 'v2'), { what: 'the other video is heard of' });
    expect(heard.filter(({ videoId }) => videoId === 'v1').map(({ progress }) => progress)).toEqual([0, 40, 70, 80, 100]);
  });
});

describe('the handshake', () => {
  test.each([['nonsense'], [jwt.sign({ id: 'u1' }, 'another secret')], [{}], [7]])('with the token %j is refused with a code', async (token) => {
    const { main, legacy } = await startApi();
    for (const url of [main, legacy]) await expect(connect(url, token)).rejects.toMatchObject({ data: { code: 'token_invalid' } });
  });

  test('without a token, or with an empty one, is fine', async () => {
    const { main } = await startApi();
    await connect(main);
    await connect(main, '');
  });

  test('a connection ends with its token', async () => {
    const { main } = await startApi();
    // Tokens count whole seconds: of 1 s nothing may be left when the socket comes.
    const socket = await connect(main, tokenOf('u1', 3));
    await new Promise((resolve) => socket.once('disconnect', resolve));
  });

  test('other requests on the port go where they went before', async () => {
    const { main } = await startApi();
    expect((await fetch(`${main}/anything`)).status).toBe(418);
  });
});

describe('subscribe', () => {
  const like = async (videoId: string): Promise<string> => {
    const userId = randomUUID();
    const data = { videoId, userId, ownerId: 'owner', at: '2025-01-01T00:00:00.000Z' };
    const { position } = await store.append(`like-${videoId}_${userId}`, [{ id: randomUUID(), type: 'VideoLiked', data, metadata: { correlationId: 'c', schemaVersion: 1 } }], 'none');
    return String(position);
  };

  test('is answered with a position; then events come, and go on after a reconnect with `since` as if nothing had been', async () => {
    const { main } = await startApi();
    const videoId = randomUUID();
    const heard: { position: string }[] = [];
    let socket = await connect(main);
    socket.on('event', (event: { position: string }) => heard.push(event));
    expect(await socket.emitWithAck('subscribe', { topics: [`video:${videoId}`] })).toEqual({ ok: true, position: expect.stringMatching(/^\d+$/) });
    const written = [await like(videoId), await like(videoId)];
    await eventually(() => heard.length === 2, { what: 'both are heard' });
    expect(heard[0]).toEqual({ position: written[0], type: 'VideoLiked', time: '2025-01-01T00:00:00.000Z', data: { videoId } });
    socket.disconnect();
    written.push(await like(videoId), await like(videoId));
    socket = await connect(main);
    socket.on('event', (event: { position: string }) => heard.push(event));
    expect(await socket.emitWithAck('subscribe', { topics: [`video:${videoId}`], since: written[1] })).toEqual({ ok: true, position: written[1] });
    written.push(await like(videoId));
    await eventually(() => heard.length === 5, { what: 'all are heard' });
    expect(heard.map(({ position }) => position)).toEqual(written);
  });

  test('to "me" hears of one’s own videos, and needs a token', async () => {
    const { main } = await startApi();
    const owner = await connect(main, tokenOf('owner'));
    const heard: object[] = [];
    owner.on('event', (event: object) => heard.push(event));
    await owner.emitWithAck('subscribe', { topics: ['me'] });
    await like(randomUUID());
    await eventually(() => heard.length === 1, { what: 'it is heard' });
    expect(await (await connect(main)).emitWithAck('subscribe', { topics: ['me'] })).toMatchObject({ ok: false, error: { code: 'token_required' } });
  });

  test('again replaces what was before', async () => {
    const { legacy } = await startApi();
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

  test.each([[undefined], ['feed'], [{ topics: [] }], [{ topics: ['user:1'] }], [{ topics: ['video:1'] }], [{ topics: ['me:owner'] }], [{ topics: ['feed'], since: 'x' }], [{ topics: ['feed'], since: -1 }]])(
    'with %j is refused', async (message) => {
      const { main } = await startApi();
      expect(await (await connect(main)).emitWithAck('subscribe', message)).toMatchObject({ ok: false, error: { code: 'invalid_subscription' } });
    });

  test('from a position that is not there yet is refused', async () => {
    const { main } = await startApi();
    expect(await (await connect(main)).emitWithAck('subscribe', { topics: ['feed'], since: '999999999999' })).toMatchObject({ ok: false, error: { code: 'position_unknown' } });
  });
});

const { REDIS_URL } = process.env;
if (REDIS_URL === undefined) process.stderr.write('\nSKIPPED: sockets across processes are not tested, because REDIS_URL does not name a Redis.\n');
(REDIS_URL === undefined ? describe.skip : describe)('with Redis', () => {
  let redis: Redis;
  beforeAll(() => { redis = new Redis(REDIS_URL!, { lazyConnect: true }); });
  afterAll(() => redis.disconnect());

  test('what one process or a media worker reports reaches the sockets of every API process, once', async () => {
    const [first, second] = [await startApi(redis), await startApi(redis)];
    const worker = startMediaWorker(redis);
    const [userId, videoId] = [randomUUID(), randomUUID()];
    const heard = await Promise.all([first.main, second.main].map(async (url) => heardOn(await connect(url, tokenOf(userId)), userId) as { progress: number; videoId: string }[]));
    const ofThis = (): number[][] => heard.map((each) => each.filter((one) => one.videoId === videoId).map(({ progress }) => progress));
    // The adapters subscribe in their own time.
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
  });

  test('connections that break are made again, and progress crosses as before', async () => {
    const [first, second] = [await startApi(redis), await startApi(redis)];
    const userId = randomUUID();
    const heard = heardOn(await connect(second.main, tokenOf(userId)), userId);
    const crosses = (): Promise<boolean> => eventually(() => {
      first.realtime.reportProgress(step(userId, randomUUID(), 1));
      return heard.length > 0;
    }, { what: 'progress crosses' });
    await crosses();
    const list = async (): Promise<string[]> => String(await redis.client('LIST')).split('\n').filter((line) => line.includes(`name=${namespace}:sockets`));
    const own = await eventually(list, { what: 'all four are there by name', holds: ({ length }) => length === 4 });
    for (const line of own) await redis.client('KILL', 'ID', /id=(\d+)/.exec(line)![1]!);
    heard.splice(0);
    await crosses();
    await eventually(async () => (await list()).length === 4, { what: 'all are back' });
  });
});

test('a Redis that is away changes nothing for the sockets of one’s own process', async () => {
  const redis = new Redis('redis://127.0.0.1:9', { lazyConnect: true });
  redis.on('error', () => undefined);
  const { realtime, main, close } = await startApi(redis);
  const heard = heardOn(await connect(main, tokenOf('u1')), 'u1');
  const worker = startMediaWorker(redis);
  for (let progress = 1; progress <= 100; progress++) {
    realtime.reportProgress(step('u1', 'v1', progress));
    worker.report(step('u1', 'v1', progress));
  }
  await eventually(() => heard.length === 100, { what: 'all is heard' });
  for (const each of workers.splice(0)) each.close();
  await close();
  apis.splice(0);
  redis.disconnect();
});
