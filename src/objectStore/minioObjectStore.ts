import { createReadStream, createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Client, type BucketItem } from 'minio';
import { assertKey, PUBLIC_PREFIX } from './keys.ts';
import { impatientTransport, within } from './minioTransport.ts';
import { ObjectNotFound, ObjectStoreUnavailable, type ObjectStore } from './objectStore.ts';

export interface MinioObjectStoreOptions {
  readonly endPoint: string;
  readonly port: number;
  readonly useSSL: boolean;
  readonly accessKey: string;
  readonly secretKey: string;
  readonly bucket: string;
  /** How browsers reach the store: `https://media.example.com`. The bucket and the key come after it. */
  readonly publicUrl: string;
  readonly region?: string;
  /** Milliseconds without an answer, or without a byte moving, until the store counts as away; 4 000 by default. */
  readonly timeout?: number;
}

const SECONDS_OF_A_YEAR = 31_536_000;
/** Bytes held in memory for each upload under way. */
const PART_SIZE = 8 * 1024 * 1024;
const MISSING = new Set(['NoSuchKey', 'NotFound', 'NoSuchObject']);
/** What our own disk says, in the middle of a transfer: not the store's fault, and not cured by waiting for it. */
const DISK_ERRORS = new Set(['ENOENT', 'ENOSPC', 'EDQUOT', 'EACCES', 'EPERM', 'EROFS', 'EISDIR']);

export interface MinioObjectStore extends ObjectStore {
  /** Lets its connections go. */
  close(): void;
}

/**
 * Objects in MinIO or another S3. Makes the bucket when it is missing, at the start and whenever it is missing
 * again; what lies under `videos/` can be read by anyone, the rest by nobody but us.
 */
export function createMinioObjectStore(options: MinioObjectStoreOptions): MinioObjectStore {
  const {
    bucket,
    publicUrl,
    region = 'us-east-1',
    timeout = 4_000,
    endPoint,
    port,
    useSSL,
    accessKey,
    secretKey,
  } = options;
  const transport = impatientTransport(useSSL, timeout);
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
    // Its retries write to the console; ours are the caller's business.
    retryOptions: { disableRetry: true },
  });
  let ready: Promise<void> | undefined;

  const ensureBucket = (): Promise<void> => {
    ready ??= within(timeout, prepareBucket(client, bucket, region)).catch((error: unknown) => {
      ready = undefined;
      throw error;
    });
    return ready;
  };

  /** Runs an operation on the bucket; when that turns out to be gone, makes it and runs the operation once more. */
  const use = async <T>(operation: () => Promise<T>, key = ''): Promise<T> => {
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

  // So that the bucket is there before it is needed; a store that is away now makes it at the first use.
  ensureBucket().catch(() => undefined);

  return {
    putFile: async (key, path, contentType, signal) => {
      assertKey(key);
      const { size } = await stat(path);
      const headers = {
        'Content-Type': contentType,
        'Cache-Control': `public, max-age=${SECONDS_OF_A_YEAR}, immutable`,
      };
      await use(() => sendFile(path, (body) => client.putObject(bucket, key, body, size, headers), signal), key);
    },
    getFile: async (key, path, signal) => {
      assertKey(key);
      await use(async () => pipeline(await client.getObject(bucket, key), createWriteStream(path), { signal }), key);
    },
    list: async function* (prefix) {
      await use(() => Promise.resolve());
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
      if (keys.length > 0) await use(() => within(timeout, client.removeObjects(bucket, [...keys])));
    },
    url: (key) => `${publicUrl}/${bucket}/${key}`,
    check: async () => {
      await use(async () => {
        if (!(await within(timeout, client.bucketExists(bucket))))
          throw Object.assign(new Error('the bucket is gone'), { code: 'NoSuchBucket' });
      });
    },
    close: () => transport.agent.destroy(),
  };
}

async function prepareBucket(client: Client, bucket: string, region: string): Promise<void> {
  if (!(await client.bucketExists(bucket))) {
    await client.makeBucket(bucket, region).catch((error: unknown) => {
      // Another process was a moment faster.
      if ((error as { code?: string }).code !== 'BucketAlreadyOwnedByYou') throw error;
    });
  }
  // A policy that is there is an operator's; it stays.
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

/** The client listens for no error on the stream that it is given, and would wait for ever for its end. */
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
    `the object store does not answer as it should (${code ?? (error as Error).message})`,
    { cause: error },
  );
}
