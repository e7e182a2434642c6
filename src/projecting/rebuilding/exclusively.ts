import type pg from 'pg';

/** Another process, or another part of this one, is rebuilding the consumer. */
export class RebuildUnderWay extends Error {
  constructor(name: string) {
    super(`a rebuild of ${name} is already under way`);
    this.name = 'RebuildUnderWay';
  }
}

/**
 * Runs `work` while no other process rebuilds this consumer or rolls it back. The lock ends with its connection: a process
 * that was killed does not block later ones.
 * @throws RebuildUnderWay
 */
export async function exclusively<T>(pool: pg.Pool, name: string, work: () => Promise<T>): Promise<T> {
  const client = await pool.connect();
  const onError = (): void => undefined;
  client.on('error', onError);
  try {
    const { rows } = await client.query<{ locked: boolean }>(
      `select pg_try_advisory_lock(hashtextextended($1, 0)) as locked`,
      [`reelstream.rebuild ${name}`],
    );
    if (!rows[0]!.locked) throw new RebuildUnderWay(name);
    return await work();
  } finally {
    // The server notices a closed connection only some time later, and until then it would refuse a second rebuild.
    await client.query('select pg_advisory_unlock_all()').catch(() => undefined);
    client.off('error', onError);
    client.release(true);
  }
}
