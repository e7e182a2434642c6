import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import express from 'express';
import { Client } from 'minio';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createMinioObjectStore, type MinioObjectStore, type MinioObjectStoreOptions } from './minioObjectStore.ts';
import { ObjectStoreUnavailable } from './objectStore.ts';
import { DomainError } from '../core/errors.ts';
import { createSignedMediaHandler } from './signedMediaHandler.ts';
import { createSignedPaths } from './signedPaths.ts';
import { collect, describeObjectStore } from './objectStoreContract.ts';

const { MINIO_ENDPOINT, MINIO_PORT = '9000', MINIO_ACCESS_KEY = '', MINIO_SECRET_KEY = '' } = process.env;
if (MINIO_ENDPOINT === undefined) {
  process.stderr.write('\nSKIPPED: the MinIO object store is not tested, because MINIO_ENDPOINT is not set.\n');
}
const whenThere = MINIO_ENDPOINT === undefined ? describe.skip : describe;

const signed = createSignedPaths({ secrets: () => ['test'] });
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

whenThere('the handler of signed paths before a real MinIO', () => {
  let base: string;
  let server: Server;
  let store: MinioObjectStore;
  const content = Buffer.from('0123456789'.repeat(100));

  beforeAll(async () => {
    store = openStore();
    const folder = await mkdtemp(join(tmpdir(), 'minio-'));
    await writeFile(join(folder, 'in'), content);
    for (const name of ['abc.mp4', 'hls-1/master.m3u8'])
      await store.putFile(`private/v1/${name}`, join(folder, 'in'), 'video/mp4');
    await rm(folder, { recursive: true });
    const app = express().use('/media', createSignedMediaHandler({ objects: store, signed }));
    app.use(((error: unknown, _request, response, _next) => {
      const status = { notFound: 404, forbidden: 403, unavailable: 503 } as Record<string, number>;
      response.status((error instanceof DomainError ? status[error.kind] : undefined) ?? 500).end();
    }) as express.ErrorRequestHandler);
    server = createServer(app).listen(0, '127.0.0.1');
    await once(server, 'listening');
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/media`;
  });
  afterAll(() => void server.close());

  test('leads to the store, which serves ranges, and nobody else may cache it', async () => {
    const url = `${base}/${signed.sign('private/v1/abc.mp4')}`;
    const redirect = await fetch(url, { redirect: 'manual' });
    expect([redirect.status, redirect.headers.get('cache-control')]).toEqual([302, 'private, max-age=300']);
    const response = await fetch(url, { headers: { range: 'bytes=0-9' } });
    expect([response.status, await response.text()]).toEqual([206, '0123456789']);
    expect(response.headers.get('cache-control')).toBe('private, max-age=600');
  });

  test('sends a playlist itself, so that the names in it are signed by its path', async () => {
    const url = `${base}/${signed.sign('private/v1/hls-1/master.m3u8')}`;
    const response = await fetch(url, { redirect: 'error' });
    expect([response.status, response.headers.get('cache-control')]).toEqual([
      200,
      expect.stringMatching(/^private, max-age=3\d{3}, immutable$/),
    ]);
    expect(content.equals(Buffer.from(await response.arrayBuffer()))).toBe(true);
  });

  test('finds nothing without a signature, or where nothing is, and nothing private is fetched from the store itself', async () => {
    const missing = signed.sign('private/v1/hls-1/other.m3u8');
    for (const path of ['private/v1/abc.mp4', 'videos/v1/abc.mp4', 'originals/v1/abc.mp4', missing])
      expect([path, (await fetch(`${base}/${path}`)).status]).toEqual([path, 404]);
    const [plain] = store.url('videos/v1/abc.mp4').split('/videos/');
    expect((await fetch(`${plain}/private/v1/abc.mp4`)).status).toBe(403);
    const ended = createSignedPaths({ secrets: () => ['test'], clock: () => Date.now() - 3_700_000 });
    expect((await fetch(`${base}/${ended.sign('private/v1/abc.mp4')}`)).status).toBe(403);
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
