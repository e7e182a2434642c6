import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'minio';
import { afterAll, describe, expect, test } from '@jest/globals';
import { createMinioObjectStore, type MinioObjectStore, type MinioObjectStoreOptions } from './minioObjectStore.ts';
import { ObjectStoreUnavailable } from './objectStore.ts';
import { createSignedPaths } from './signedPaths.ts';
import { collect, describeObjectStore } from './objectStoreContract.ts';

const { MINIO_ENDPOINT, MINIO_PORT = '9000', MINIO_ACCESS_KEY = '', MINIO_SECRET_KEY = '' } = process.env;
if (MINIO_ENDPOINT === undefined) {
  process.stderr.write('\nSKIPPED: the MinIO object store is not tested, because MINIO_ENDPOINT is not set.\n');
}
const whenThere = MINIO_ENDPOINT === undefined ? describe.skip : describe;

const signed = createSignedPaths({ secret: 'test' });
const opened: MinioObjectStore[] = [];
const buckets = new Set<string>();

function openStore(changes: Partial<MinioObjectStoreOptions> = {}): MinioObjectStore {
  const bucket = `test-${randomUUID()}`;
  const store = createMinioObjectStore({
    endPoint: MINIO_ENDPOINT ?? '',
    port: Number(MINIO_PORT),
    useSSL: false,
    accessKey: MINIO_ACCESS_KEY,
    secretKey: MINIO_SECRET_KEY,
    bucket,
    publicUrl: `http://${MINIO_ENDPOINT}:${MINIO_PORT}`,
    mediaUrl: 'http://localhost/media',
    signed,
    timeout: 20_000,
    ...changes,
  });
  opened.push(store);
  buckets.add(changes.bucket ?? bucket);
  return store;
}

const client = (): Client =>
  new Client({
    endPoint: MINIO_ENDPOINT ?? '',
    port: Number(MINIO_PORT),
    useSSL: false,
    accessKey: MINIO_ACCESS_KEY,
    secretKey: MINIO_SECRET_KEY,
  });

afterAll(async () => {
  for (const store of opened) store.close();
  if (MINIO_ENDPOINT === undefined) return;
  for (const bucket of buckets) {
    if (!(await client().bucketExists(bucket))) continue;
    const names = (await collect(client().listObjectsV2(bucket, '', true) as AsyncIterable<{ name: string }>)).map(
      ({ name }) => name,
    );
    await client().removeObjects(bucket, names);
    await client().removeBucket(bucket);
  }
});

whenThere('against a real MinIO', () => {
  describeObjectStore('the MinIO store', () => Promise.resolve(openStore()));

  test('everybody can fetch objects under videos/, with their type and for caching; nobody can fetch an original', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'minio-'));
    await writeFile(join(folder, 'in'), 'hello');
    const store = openStore();
    await store.putFile('videos/v/a.jpg', join(folder, 'in'), 'image/jpeg');
    await store.putFile('originals/v/a.mp4', join(folder, 'in'), 'video/mp4');
    const seen = await fetch(store.url('videos/v/a.jpg'), { headers: { range: 'bytes=1-2' } });
    expect([seen.status, await seen.text(), seen.headers.get('content-type')]).toEqual([206, 'el', 'image/jpeg']);
    expect(seen.headers.get('cache-control')).toContain('immutable');
    expect((await fetch(store.url('originals/v/a.mp4'))).status).toBe(403);
    await rm(folder, { recursive: true });
  });

  test('a bucket that was removed is created again', async () => {
    const bucket = `test-${randomUUID()}`;
    const store = openStore({ bucket });
    await store.check();
    await client().removeBucket(bucket);
    await store.check();
    expect(await collect(store.list('videos/'))).toEqual([]);
  });

  test('processes that start at the same time all get the bucket', async () => {
    const bucket = `test-${randomUUID()}`;
    await Promise.all([openStore({ bucket }).check(), openStore({ bucket }).check(), openStore({ bucket }).check()]);
  });
});

describe('an unavailable MinIO', () => {
  test('that refuses connections is reported at once', async () => {
    const store = openStore({ endPoint: '127.0.0.1', port: 9 });
    await expect(store.check()).rejects.toThrow(ObjectStoreUnavailable);
    await expect(store.remove(['videos/a/b.mp4'])).rejects.toThrow(ObjectStoreUnavailable);
  });

  test('that accepts connections but never answers is reported within the timeout, for every operation', async () => {
    const sockets = new Set<{ destroy(): void }>();
    const silent = createTcpServer((socket) => void sockets.add(socket)).listen(0, '127.0.0.1');
    await new Promise((resolve) => silent.once('listening', resolve));
    const store = openStore({ endPoint: '127.0.0.1', port: (silent.address() as AddressInfo).port, timeout: 300 });
    const folder = await mkdtemp(join(tmpdir(), 'minio-'));
    await writeFile(join(folder, 'in'), 'hello');
    const started = performance.now();
    const outcomes = await Promise.allSettled([
      store.check(),
      store.remove(['videos/a/b']),
      collect(store.list('videos/')),
      store.putFile('videos/a/b', join(folder, 'in'), 'video/mp4'),
      store.getFile('videos/a/b', join(folder, 'out')),
    ]);
    expect(performance.now() - started).toBeLessThan(15_000);
    for (const outcome of outcomes)
      expect((outcome as PromiseRejectedResult).reason).toBeInstanceOf(ObjectStoreUnavailable);
    for (const socket of sockets) socket.destroy();
    silent.close();
    await rm(folder, { recursive: true });
  });

  test('that stops in the middle of a transfer, in either direction, or answers with errors, is reported', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'minio-'));
    await writeFile(join(folder, 'in'), Buffer.alloc(6 * 1024 * 1024));
    const stalling = createServer((request, response) => {
      if (request.url?.includes('policy')) response.end('{}');
      else if (request.method === 'HEAD' && !request.url?.includes('videos')) response.end();
      else if (request.method === 'GET') response.writeHead(200, { 'content-length': 1_000 }).write('only a part');
      else if (request.method === 'POST') response.writeHead(503).end();
      else request.pause();
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => stalling.once('listening', resolve));
    const store = openStore({ endPoint: '127.0.0.1', port: (stalling.address() as AddressInfo).port, timeout: 400 });
    await expect(store.getFile('videos/a/b', join(folder, 'out'))).rejects.toThrow(ObjectStoreUnavailable);
    await expect(store.putFile('videos/a/b', join(folder, 'in'), 'video/mp4')).rejects.toThrow(ObjectStoreUnavailable);
    await expect(store.remove(['videos/a/b'])).rejects.toThrow(ObjectStoreUnavailable);
    stalling.closeAllConnections();
    stalling.close();
    await rm(folder, { recursive: true });
  });
});
