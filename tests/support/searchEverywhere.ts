import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Redis } from 'ioredis';
import { Client as MinioClient } from 'minio';
import type pg from 'pg';
import { createKafkaClient } from '../../src/delivery/kafka/client.ts';
import { quiet } from './projecting.ts';
import type { System } from './system.ts';

export interface Search {
  readonly system: System;
  readonly pool: pg.Pool;
  /** The variables of the engines; empty in the embedded profile. */
  readonly engines: Readonly<Record<string, string>>;
  /** Case makes no difference. */
  readonly texts: readonly string[];
}

/**
 * Where a running system has any of these texts: rows of tables, files (its logs are among them), names and contents of objects,
 * records of Kafka, keys and values of Redis. Does not look into what PostgreSQL has deleted.
 */
export async function searchEverywhere(search: Search): Promise<string[]> {
  const { engines } = search;
  const places = [inTables(search), inFiles(search)];
  if (engines['KAFKA_TOPIC'] !== undefined) places.push(inKafka(search), inRedis(search), inBucket(search));
  return (await Promise.all(places)).flat();
}

const has = (text: string, { texts }: Search): boolean => {
  const lower = text.toLowerCase();
  return texts.some((each) => lower.includes(each.toLowerCase()));
};

async function inTables({ pool, texts }: Search): Promise<string[]> {
  const { rows: tables } = await pool.query<{ name: string }>(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables
     where schemaname not in ('pg_catalog', 'information_schema')`,
  );
  const patterns = texts.map((text) => `%${text.replace(/[\\%_]/g, '\\$&')}%`);
  const found: string[] = [];
  for (const { name } of tables) {
    // Bytes that are text are found as well: a stored answer is a column of bytes.
    const encoded = texts.map((text) => `%${Buffer.from(text).toString('hex')}%`);
    const { rowCount } = await pool.query(`select from ${name} t where t::text ilike any($1) limit 1`, [
      [...patterns, ...encoded],
    ]);
    if (rowCount !== 0) found.push(`table ${name}`);
  }
  return found;
}

async function inFiles(search: Search): Promise<string[]> {
  const folder = dirname(search.system.processes[0]!.logFile);
  const found: string[] = [];
  for (const name of await readdir(folder, { recursive: true })) {
    const path = join(folder, name);
    if (has(name, search)) found.push(`name of the file ${name}`);
    const isFile = await stat(path).then(
      (stats) => stats.isFile(),
      () => false,
    );
    if (isFile && has(await readFile(path, 'latin1').catch(() => ''), search)) found.push(`file ${name}`);
  }
  return found;
}

async function inKafka(search: Search): Promise<string[]> {
  const { KAFKA_BROKERS: brokers = '', KAFKA_TOPIC: topic = '' } = search.engines;
  const kafka = createKafkaClient({ brokers: brokers.split(','), clientId: 'search', logger: quiet });
  const admin = kafka.admin();
  await admin.connect();
  const ends = new Map(
    (await admin.fetchTopicOffsets(topic))
      .filter(({ low, high }) => BigInt(high) > BigInt(low))
      .map(({ partition, high }) => [partition, BigInt(high)]),
  );
  const groupId = `${topic}.search-${process.pid}-${Date.now()}`;
  const consumer = kafka.consumer({ groupId });
  const found: string[] = [];
  const { promise: atEnd, resolve } = Promise.withResolvers<void>();
  if (ends.size === 0) resolve();
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    eachMessage: ({ partition, message }) => {
      const parts = [message.key, message.value, ...Object.values(message.headers ?? {}).flat()];
      const text = parts.map(String).join('\n');
      if (has(text, search)) found.push(`record ${message.offset} of the partition ${partition}`);
      if (BigInt(message.offset) + 1n >= (ends.get(partition) ?? 0n)) ends.delete(partition);
      if (ends.size === 0) resolve();
      return Promise.resolve();
    },
  });
  await atEnd;
  await consumer.disconnect();
  await admin.deleteGroups([groupId]).catch(() => undefined);
  await admin.disconnect();
  return found;
}

async function inRedis(search: Search): Promise<string[]> {
  const redis = new Redis(search.engines['REDIS_URL']!);
  const found: string[] = [];
  try {
    for await (const keys of redis.scanStream() as AsyncIterable<string[]>)
      for (const key of keys) {
        const value = await redis.dumpBuffer(key);
        if (has(`${key}\n${value?.toString('latin1')}`, search)) found.push(`key ${key} of Redis`);
      }
  } finally {
    redis.disconnect();
  }
  return found;
}

async function inBucket(search: Search): Promise<string[]> {
  const { engines } = search;
  const bucket = engines['MINIO_BUCKET']!;
  const client = new MinioClient({
    endPoint: engines['MINIO_ENDPOINT']!,
    port: Number(engines['MINIO_PORT']),
    useSSL: engines['MINIO_USE_SSL'] === 'true',
    accessKey: engines['MINIO_ACCESS_KEY']!,
    secretKey: engines['MINIO_SECRET_KEY']!,
  });
  const found: string[] = [];
  for await (const { name } of client.listObjectsV2(bucket, '', true) as AsyncIterable<{ name?: string }>) {
    if (name === undefined) continue;
    const { metaData } = await client.statObject(bucket, name);
    const chunks: Buffer[] = [];
    for await (const chunk of await client.getObject(bucket, name)) chunks.push(chunk as Buffer);
    const text = `${name}\n${JSON.stringify(metaData)}\n${Buffer.concat(chunks).toString('latin1')}`;
    if (has(text, search)) found.push(`object ${name}`);
  }
  return found;
}
