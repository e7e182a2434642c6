import { execFile } from 'node:child_process';
import { access } from 'node:fs/promises';
import { promisify } from 'node:util';
import type pg from 'pg';

/** What the benchmark uses of Emmett's event store. */
export interface EmmettStore {
  appendToStream(
    stream: string,
    events: readonly { readonly type: string; readonly data: object; readonly metadata?: object }[],
    options: { readonly expectedStreamVersion: 'STREAM_DOES_NOT_EXIST' },
  ): Promise<unknown>;
  readonly schema: { migrate(): Promise<unknown> };
  close(): Promise<void>;
}

interface EmmettModule {
  getPostgreSQLEventStore(
    url: string,
    options: { connectionOptions: { pool: pg.Pool }; schema: { autoMigration: 'None' } },
  ): EmmettStore;
}

/** Emmett's event store on PostgreSQL, on the caller's pool. Its first call installs it from the lock file of this folder. */
export async function openEmmett(pool: pg.Pool, url: string): Promise<EmmettStore> {
  const name = '@event-driven-io/emmett-postgresql';
  const folder = import.meta.dirname;
  await access(`${folder}/node_modules/${name}`).catch(async () => {
    console.error('installing the peers …');
    await promisify(execFile)('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: folder });
  });
  // TypeScript must not look for it: it is no part of the project.
  const { getPostgreSQLEventStore } = (await import(name as string)) as EmmettModule;
  const store = getPostgreSQLEventStore(url, { connectionOptions: { pool }, schema: { autoMigration: 'None' } });
  await store.schema.migrate();
  return store;
}
