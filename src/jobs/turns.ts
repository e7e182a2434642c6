import type pg from 'pg';

/** What a round robin needs to know of the jobs in one queue. Turns rise; the lowest is served first. */
export interface Turns {
  /** Of the job that was started last; -1 when nothing has happened yet. */
  readonly current: number;
  /** The last turn that each user has been given. */
  readonly last: ReadonlyMap<string, number>;
}

/**
 * How many turns lie between two clips of one user. It is also the number of times that newcomers may go before somebody's
 * next clip: each time, those that came before the first of them was started.
 */
const ROUND = 16;

/**
 * The turns of new jobs, given in the order in which they came. A user with nothing in the queue follows the job that was
 * started last; every further clip of a user waits for a round. So users alternate, however many clips each of them has, and
 * nobody waits for ever: turns only rise, and a job with a lower one is served first. This is start-time fair queueing
 * (Goyal, Vin and Cheng, SIGCOMM 1996) with clips as the unit.
 */
export function giveTurns(owners: readonly string[], { current, last }: Turns): number[] {
  const given = new Map(last);
  return owners.map((owner) => {
    const turn = Math.max(current + 1, (given.get(owner) ?? -Infinity) + ROUND);
    given.set(owner, turn);
    return turn;
  });
}

/**
 * Reads the turns that the jobs of a queue in pg-boss's schema have, as negative priorities. Until the transaction ends,
 * nobody else reads them: two processes that add jobs of one user at once must not give both the same turn.
 */
export async function readTurns(
  client: pg.ClientBase,
  schema: string,
  queue: string,
  owners: readonly string[],
): Promise<Turns> {
  await client.query('select pg_advisory_xact_lock(hashtext($1))', [`${schema} turns`]);
  // Without a start (finished jobs are deleted after a day) newcomers follow the first that waits, as if it were served now.
  const {
    rows: [found],
  } = await client.query<{ current: number }>(
    `select coalesce(max(-priority) filter (where started_on is not null), min(-priority) - 1, -1) as current from ${schema}.job where name = $1`,
    [queue],
  );
  // A job that was cancelled before it began has cost nobody anything.
  const { rows } = await client.query<{ owner: string; last: number }>(
    `select group_id as owner, max(-priority) as last from ${schema}.job
     where name = $1 and group_id = any($2) and (started_on is not null or state <> 'cancelled') group by group_id`,
    [queue, owners],
  );
  return { current: found?.current ?? -1, last: new Map(rows.map(({ owner, last }) => [owner, last])) };
}
