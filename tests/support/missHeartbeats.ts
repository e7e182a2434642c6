import type pg from 'pg';

/** Makes the last sign of life of a video's job an hour old. A worker of it that is alive gives the next one within two seconds. */
export async function missHeartbeats(pool: Pick<pg.Pool, 'query'>, videoId: string): Promise<void> {
  await pool.query(
    `update reelstream_jobs.job set heartbeat_on = now() - interval '1 hour' where data ->> 'videoId' = $1 and state = 'active'`,
    [videoId],
  );
}
