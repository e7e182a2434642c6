import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { startEmbeddedPostgres } from '../../src/postgres/embeddedPostgres.ts';
import { findServer } from './findServer.ts';
import { createPool } from '../../src/postgres/pool.ts';

export interface TestServer {
  readonly url: string;
  /** A database with all migrations, to be cloned. Undefined when the migrations fail; each test then reports why. */
  readonly template: string | undefined;
  /** For files of this run; removed when it ends. Undefined with an outside server. */
  readonly folder?: string | undefined;
  readonly stop: () => Promise<void>;
}

const FOLDER = 'reelstream-test-';
/**
 * A run that was killed cannot clean up. Databases older than this do not belong to a run that is still active (ms).
 */
const ABANDONED_AFTER = 3_600_000;

/** `durable`: commits are written to the disk, as in production. */
export async function startTestServer(outside: string | undefined, { durable = false } = {}): Promise<TestServer> {
  const server: Pick<TestServer, 'url' | 'folder' | 'stop'> =
    outside === undefined ? await startOwn(durable) : { url: outside, stop: () => dropAbandoned(outside) };
  const template = await makeTemplate(server.url);
  return {
    url: server.url,
    folder: server.folder,
    template,
    stop: async () => {
      if (template !== undefined) await onServer(server.url, `drop database if exists ${template} with (force)`);
      await server.stop();
    },
  };
}

/** Tests need no durability. Without it they are several times as fast. */
async function startOwn(durable: boolean): Promise<{ url: string; folder: string; stop: () => Promise<void> }> {
  await removeAbandoned();
  const dataDir = await mkdtemp(join(tmpdir(), FOLDER));
  const settings = { ...(durable ? {} : { fsync: 'off', full_page_writes: 'off' }), max_connections: '300' };
  const { url, stop } = await startEmbeddedPostgres({ dataDir, logger: pino({ level: 'silent' }), settings });
  return {
    url,
    folder: dataDir,
    stop: async () => {
      await stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

async function removeAbandoned(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const folder = join(tmpdir(), name);
    if (!name.startsWith(FOLDER) || !(await isAbandoned(folder).catch(() => false))) continue;
    await rm(folder, { recursive: true, force: true });
  }
}

async function isAbandoned(folder: string): Promise<boolean> {
  const { uid, mtimeMs } = await stat(folder);
  if (uid !== process.geteuid?.() || Date.now() - mtimeMs < 60_000) return false;
  return (await findServer(join(folder, 'postgres'))) === undefined;
}

/** Migrations may fail while a developer works on them. Tests without a database must run all the same. */
async function makeTemplate(url: string): Promise<string | undefined> {
  const name = databaseName('template');
  const pool = createPool({ connectionString: await createDatabase(url, name), name: 'test template', max: 2 });
  try {
    const { migrate } = await import('../../src/postgres/migrate.ts');
    await migrate(pool);
    return name;
  } catch {
    await pool.end();
    await onServer(url, `drop database ${name} with (force)`);
    return undefined;
  } finally {
    if (!pool.ended) await pool.end();
  }
}

/** The name contains the time, so that a later run can find databases that are no longer needed. */
export function databaseName(kind: string): string {
  return `reelstream_${kind}_${Date.now()}_${randomBytes(6).toString('hex')}`;
}

export async function createDatabase(server: string, name: string, template = 'template1'): Promise<string> {
  await onServer(server, `create database ${name} template ${template}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
}

async function dropAbandoned(server: string): Promise<void> {
  const names = await onServer<{ datname: string }>(
    server,
    String.raw`select datname from pg_database where datname ~ '^reelstream_(test|template)_\d+_'`,
  );
  for (const { datname } of names) {
    if (Date.now() - Number(datname.split('_')[2]) > ABANDONED_AFTER)
      await onServer(server, `drop database if exists ${datname} with (force)`);
  }
}

export async function onServer<Row extends object>(server: string, sql: string): Promise<Row[]> {
  const pool = createPool({ connectionString: server, name: 'test server', max: 1 });
  try {
    return (await pool.query<Row>(sql)).rows;
  } finally {
    await pool.end();
  }
}
