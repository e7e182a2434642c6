import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { Client as MinioClient } from 'minio';
import { createKafkaClient } from '../../src/delivery/kafka/client.ts';
import { createPool } from '../../src/postgres/pool.ts';
import { quiet } from './projecting.ts';

/** The engines of one run. Other runs use the same servers, with other names. */
export interface Engines extends AsyncDisposable {
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * Creates a database, topic, bucket and Redis database that no other run uses. @throws when an engine of the cluster
 * profile is not named.
 */
export async function freshEngines(): Promise<Engines> {
  const name = `system-${randomBytes(6).toString('hex')}`;
  const database = new URL(named('DATABASE_URL'));
  const redis = new URL(named('REDIS_URL'));
  const server = database.href;
  database.pathname = `/${name}`;
  redis.pathname = `/${await emptyRedisNumber(redis.href)}`;
  await onServer(server, `create database "${name}"`);
  return {
    environment: {
      DATABASE_URL: database.href,
      KAFKA_BROKERS: named('KAFKA_BROKERS'),
      KAFKA_TOPIC: name,
      REDIS_URL: redis.href,
      MINIO_BUCKET: name,
      ...Object.fromEntries(minioVariables.map((variable) => [variable, named(variable)])),
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([dropTopic(name), dropBucket(name), emptyRedis(redis.href)]);
      await onServer(server, `drop database if exists "${name}" with (force)`);
    },
  };
}

const minioVariables = [
  'MINIO_ENDPOINT',
  'MINIO_PORT',
  'MINIO_USE_SSL',
  'MINIO_ACCESS_KEY',
  'MINIO_SECRET_KEY',
  'MINIO_PUBLIC_URL',
];

function named(variable: string): string {
  const value = process.env[variable];
  if (value === undefined) throw new Error(`SYSTEM_PROFILE=cluster needs ${variable} to name a real engine`);
  return value;
}

async function onServer(url: string, sql: string): Promise<void> {
  const pool = createPool({ connectionString: url, name: 'system tests', max: 1 });
  try {
    await pool.query(sql);
  } finally {
    await pool.end();
  }
}

const TAKEN_KEY = 'system-test-run';
const TAKEN_FOR_SECONDS = 15 * 60;

/**
 * Takes the first Redis database that no other run has marked, and empties it. Redis has 16 numbered databases; none
 * can be created.
 */
async function emptyRedisNumber(url: string): Promise<number> {
  for (let number = 15; number > 0; number -= 1) {
    const redis = new Redis(url, { db: number });
    try {
      if ((await redis.set(TAKEN_KEY, process.pid, 'EX', TAKEN_FOR_SECONDS, 'NX')) !== 'OK') continue;
      await redis.multi().flushdb().set(TAKEN_KEY, process.pid, 'EX', TAKEN_FOR_SECONDS).exec();
      return number;
    } finally {
      redis.disconnect();
    }
  }
  throw new Error('every Redis database is marked as taken by another run of the system tests');
}

async function emptyRedis(url: string): Promise<void> {
  const redis = new Redis(url);
  await redis.flushdb();
  redis.disconnect();
}

async function dropTopic(topic: string): Promise<void> {
  const admin = createKafkaClient({
    brokers: named('KAFKA_BROKERS').split(','),
    clientId: 'test',
    logger: quiet,
  }).admin();
  await admin.connect();
  const topics = (await admin.listTopics()).filter((each) => each === topic);
  if (topics.length > 0) await admin.deleteTopics({ topics });
  const groups = (await admin.listGroups()).groups.map(({ groupId }) => groupId).filter((id) => id.includes(topic));
  // Some brokers (3.9) remove a group by themselves when its last offsets are removed.
  if (groups.length > 0) await admin.deleteGroups(groups).catch(() => undefined);
  await admin.disconnect();
}

async function dropBucket(bucket: string): Promise<void> {
  const client = new MinioClient({
    endPoint: named('MINIO_ENDPOINT'),
    port: Number(named('MINIO_PORT')),
    useSSL: named('MINIO_USE_SSL') === 'true',
    accessKey: named('MINIO_ACCESS_KEY'),
    secretKey: named('MINIO_SECRET_KEY'),
  });
  if (!(await client.bucketExists(bucket))) return;
  const keys: string[] = [];
  for await (const item of client.listObjectsV2(bucket, '', true) as AsyncIterable<{ name?: string }>) {
    if (item.name !== undefined) keys.push(item.name);
  }
  await client.removeObjects(bucket, keys);
  await client.removeBucket(bucket);
}
