import pg from 'pg';
import { setTimeout as delay } from 'node:timers/promises';

/** Any constant does; it only has to be the same in every ReelStream. */
const KEY = 7_305_818_160_018n;
/** A killed process's connection ends a moment after it. */
const PATIENCE_MS = 2_000;

export interface InstanceLock {
  /** Resolves when the lock is lost or released: its connection has ended. */
  readonly ended: Promise<void>;
  release(): Promise<void>;
}

/**
 * The right to run this data folder, held as long as a connection of ours lives; so it dies with the process, however
 * the process does. Undefined when another one holds it.
 */
export async function takeInstanceLock(url: string): Promise<InstanceLock | undefined> {
  const client = new pg.Client({ connectionString: url, application_name: 'reelstream lock', connectionTimeoutMillis: 5_000 });
  const ended = new Promise<void>((resolve) => {
    client.once('end', () => resolve());
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    for (let waited = 0; waited <= PATIENCE_MS; waited += 100) {
      const { rows } = await client.query<{ mine: boolean }>('select pg_try_advisory_lock($1) as mine', [KEY]);
      if (rows[0]?.mine) return { ended, release: () => client.end() };
      await delay(100);
    }
  } catch (error) {
    await client.end().catch(() => undefined);
    throw error;
  }
  await client.end();
  return undefined;
}
