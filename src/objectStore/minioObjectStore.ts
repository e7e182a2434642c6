import { createReadStream, createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Client, type BucketItem } from 'minio';
import { withTimeout } from '../core/withTimeout.ts';
import { assertKey, PRIVATE_PREFIX, PUBLIC_PREFIX } from './keys.ts';
import { tooSlow, transportWithTimeout } from './minioTransport.ts';
import { ObjectNotFound, ObjectStoreUnavailable, type ObjectStore } from './objectStore.ts';
import type { SignedPaths } from './signedPaths.ts';

export interface MinioObjectStoreOptions {
  readonly endPoint: string;
  readonly port: number;
  readonly useSSL: boolean;
  readonly accessKey: string;
  readonly secretKey: string;
  readonly bucket: string;
  /** The URL of the store for browsers, to which bucket and key are appended. For example `https://media.example.com`. */
  readonly publicUrl: string;
  /** Where our own processes redirect from signed paths to the store. For example `https://reels.example.com/media`. */
  readonly mediaUrl: string;
  readonly signed: Pick<SignedPaths, 'sign'>;
  readonly region?: string;
  /** The store counts as unavailable after this time without an answer or without a byte moving (ms). Default: 4 000. */
  readonly timeout?: number;
}

const SECONDS_OF_A_YEAR = 31_536_000;
/** Bytes in memory for each running upload. */
const PART_SIZE = 8 * 1024 * 1024;
const MISSING = new Set(['NoSuchKey', 'NotFound', 'NoSuchObject']);
/** Errors of the local disk during a transfer. The store is not the cause, so waiting for it does not help. */
const DISK_ERRORS = new Set(['ENOENT', 'ENOSPC', 'EDQUOT', 'EACCES', 'EPERM', 'EROFS', 'EISDIR']);

export interface MinioObjectStore extends ObjectStore {
  /** A URL of the store itself that works for so many seconds, and that browsers may cache only for themselves. */
  presignedUrl(key: string, seconds: number): Promise<string>;
  /** @throws ObjectNotFound, ObjectStoreUnavailable */
  read(key: string): Promise<Readable>;
  /** Closes its connections. */
  close(): void;
}

/**
 * Objects in MinIO or another S3. Creates the bucket whenever it is missing. Everybody can read objects under `videos/`; all other
 * objects are private.
 */
export function createMinioObjectStore(options: MinioObjectStoreOptions): MinioObjectStore {
  const {
    bucket,
    publicUrl,
    mediaUrl,
    signed,
    region = 'us-east-1',
    timeout = 4_000,
    endPoint,
    port,
    useSSL,
    accessKey,
    secretKey,
  } = options;
  const transport = transportWithTimeout(useSSL, timeout);
  const client = new Client({
    endPoint,
    port,
    useSSL,
    accessKey,
    secretKey,
    region,
    partSize: PART_SIZE,
    transport: transport.transport,
    transportAgent: transport.agent,
    // Its retries write to the console. Callers retry themselves.
    retryOptions: { disableRetry: true },
  });
  // A signature contains the name of the host that the browser asks.
  const outside = new URL(publicUrl);
  const signer = new Client({
    endPoint: outside.hostname,
    ...(outside.port !== '' && { port: Number(outside.port) }),
    useSSL: outside.protocol === 'https:',
    accessKey,
    secretKey,
    region,
  });
  let ready: Promise<void> | undefined;

  /** A time limit for operations that are normally short. */
  const inTime = <T>(operation: Promise<T>): Promise<T> =>
    withTimeout(operation, timeout, () => {
      throw tooSlow(timeout);
    });

  const ensureBucket = (): Promise<void> => {
    ready ??= inTime(prepareBucket(client, bucket, region)).catch((error: unknown) => {
      ready = undefined;
      throw error;
    });
    return ready;
  };

  /** Runs an operation on the bucket. When the bucket is missing, creates it and runs the operation again. */
  const withBucket = async <T>(operation: () => Promise<T>, key = ''): Promise<T> => {
    try {
      await ensureBucket();
      return await operation().catch(async (error: unknown) => {
        if ((error as { code?: string }).code !== 'NoSuchBucket') throw error;
        ready = undefined;
        await ensureBucket();
        return operation();
      });
    } catch (error) {
      throw translate(error, key);
    }
  };

  // Creates the bucket before it is needed. If the store is unavailable now, the first operation creates it.
  ensureBucket().catch(() => undefined);

  return {
    putFile: async (key, path, contentType, signal) => {
      assertKey(key);
      const { size } = await stat(path);
      const headers = {
        'Content-Type': contentType,
        'Cache-Control': `public, max-age=${SECONDS_OF_A_YEAR}, immutable`,
      };
      await withBucket(() => sendFile(path, (body) => client.putObject(bucket, key, body, size, headers), signal), key);
    },
    getFile: async (key, path, signal) => {
      assertKey(key);
      await withBucket(
        async () => pipeline(await client.getObject(bucket, key), createWriteStream(path), { signal }),
        key,
      );
    },
    copy: async (from, to) => {
      [from, to].forEach(assertKey);
      await withBucket(() => inTime(client.copyObject(bucket, to, `/${bucket}/${from}`)), from);
    },
    list: async function* (prefix) {
      await withBucket(() => Promise.resolve());
      try {
        for await (const item of client.listObjectsV2(bucket, prefix, true) as AsyncIterable<BucketItem>) {
          if (item.name !== undefined) yield item.name;
        }
      } catch (error) {
        throw translate(error, prefix);
      }
    },
    remove: async (keys) => {
      keys.forEach(assertKey);
      if (keys.length > 0) await withBucket(() => inTime(client.removeObjects(bucket, [...keys])));
    },
    url: (key) =>
      key.startsWith(PRIVATE_PREFIX) ? `${mediaUrl}/${signed.sign(key)}` : `${publicUrl}/${bucket}/${key}`,
    presignedUrl: async (key, seconds) => {
      assertKey(key);
      const cache = { 'response-cache-control': `private, max-age=${seconds}` };
      const { pathname, search } = new URL(await signer.presignedGetObject(bucket, key, seconds, cache));
      return `${publicUrl}${pathname}${search}`;
    },
    read: (key) => {
      assertKey(key);
      return withBucket(() => client.getObject(bucket, key), key);
    },
    check: async () => {
      await withBucket(async () => {
        if (!(await inTime(client.bucketExists(bucket))))
          throw Object.assign(new Error('the bucket does not exist'), { code: 'NoSuchBucket' });
      });
    },
    close: () => transport.agent.destroy(),
  };
}

async function prepareBucket(client: Client, bucket: string, region: string): Promise<void> {
  if (!(await client.bucketExists(bucket))) {
    await client.makeBucket(bucket, region).catch((error: unknown) => {
      // Another process has created it at the same time.
      if ((error as { code?: string }).code !== 'BucketAlreadyOwnedByYou') throw error;
    });
  }
  // An operator may have set a policy. It is not changed.
  const policy = await client.getBucketPolicy(bucket).catch((error: unknown) => {
    if ((error as { code?: string }).code !== 'NoSuchBucketPolicy') throw error;
  });
  if (policy === undefined || policy === '') await client.setBucketPolicy(bucket, publicPolicy(bucket));
}

function publicPolicy(bucket: string): string {
  const statement = {
    Effect: 'Allow',
    Principal: { AWS: ['*'] },
    Action: ['s3:GetObject'],
    Resource: [`arn:aws:s3:::${bucket}/${PUBLIC_PREFIX}*`],
  };
  return JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
}

/** The client does not listen for errors of the stream that it reads, and would wait for its end for ever. */
async function sendFile(path: string, put: (body: Readable) => Promise<unknown>, signal?: AbortSignal): Promise<void> {
  const body = createReadStream(path, { signal });
  const broken = new Promise<never>((_resolve, reject) => void body.on('error', reject));
  const sent = put(body);
  sent.catch(() => body.destroy());
  await Promise.race([sent, broken]);
}

function translate(error: unknown, key: string): unknown {
  const { code, name } = error as { code?: string; name?: string };
  if (code !== undefined && MISSING.has(code)) return new ObjectNotFound(key);
  if (name === 'AbortError' || (code !== undefined && DISK_ERRORS.has(code)) || error instanceof ObjectStoreUnavailable)
    return error;
  return new ObjectStoreUnavailable(
    `the object store gave an unexpected answer (${code ?? (error as Error).message})`,
    { cause: error },
  );
}
