import { sql, type Kysely } from 'kysely';
import type { NewJob } from './queue.ts';
import { JOBS_SCHEMA } from './schema.ts';

/** What fair turns need to know of the jobs in one queue. Turns rise; the job with the lowest runs first. */
export interface Turns {
  /** The turn of the job that was started last; -1 when the queue has never had a job. */
  readonly current: number;
  /** The last turn that each user has been given. */
  readonly last: ReadonlyMap<string, number>;
}

/**
 * Turns between two jobs of one user. Newcomers may go before a user's next job about this many times; each time, that
 * means all newcomers that came before the first of them was started.
 */
const ROUND = 16;

/**
 * Gives new jobs their turns, in the order in which the jobs came. A user with nothing in the queue follows the job that was
 * started last. Every further job of a user comes a round later. Therefore users alternate, however many jobs each of them
 * has. Nobody waits for ever, because turns only rise and lower turns run first. This is start-time fair queueing (Goyal,
 * Vin and Cheng, SIGCOMM 1996) with jobs as the unit.
 */
export function giveTurns(owners: readonly string[], { current, last }: Turns): number[] {
  const given = new Map(last);
  return owners.map((owner) => {
    const turn = Math.max(current + 1, (given.get(owner) ?? -Infinity) + ROUND);
    given.set(owner, turn);
    return turn;
  });
}

/** The priority of a job without a turn: no other job has a lower one. The least number of its column in pg-boss's table. */
export const BACKGROUND = -(2 ** 31);

/** The priorities of new jobs in pg-boss's table: their turns, negative, since there the highest priority runs first. */
export async function prioritiesOf(
  transaction: Kysely<never>,
  queue: string,
  jobs: readonly Pick<NewJob<object>, 'ownerId' | 'background'>[],
): Promise<number[]> {
  const owners = jobs.filter(({ background }) => !background).map(({ ownerId }) => ownerId);
  const turns = owners.length === 0 ? [] : giveTurns(owners, await readTurns(transaction, queue, owners));
  return jobs.map(({ background }) => (background ? BACKGROUND : -turns.shift()!));
}

/** Nobody else reads turns until the transaction ends. */
export async function lockTurns(transaction: Kysely<never>): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtext(${`${JOBS_SCHEMA} turns`}))`.execute(transaction);
}

/** The columns of pg-boss's table that turns are read from. */
interface JobTables {
  readonly job: {
    readonly name: string;
    readonly group_id: string | null;
    readonly priority: number;
    readonly state: string;
    readonly started_on: Date | null;
  };
}

/**
 * Reads the turns that the jobs of a queue have, as negative priorities in pg-boss's schema. Nobody else reads turns until
 * the transaction ends: two processes that add jobs of one user at once must not give both the same turn.
 */
async function readTurns(transaction: Kysely<never>, queue: string, owners: readonly string[]): Promise<Turns> {
  await lockTurns(transaction);
  const jobs = (transaction as unknown as Kysely<JobTables>)
    .withSchema(JOBS_SCHEMA)
    .selectFrom('job')
    .where('name', '=', queue)
    .where('priority', '>', BACKGROUND);
  const [found] = await jobs
    .select(({ fn }) => [
      fn.min('priority').filterWhere('started_on', 'is not', null).as('started'),
      fn.max('priority').as('first'),
    ])
    .execute();
  // Finished jobs are deleted after a day, failed ones after a week. If none was started since, newcomers follow the first that waits, as if it were
  // served now.
  const current = -(found?.started ?? (found?.first ?? 0) + 1);
  // A job that was cancelled before it began has delayed nobody.
  const turns = await jobs
    .where('group_id', 'in', owners)
    .where((eb) => eb.or([eb('started_on', 'is not', null), eb('state', '<>', 'cancelled')]))
    .groupBy('group_id')
    .select(({ fn }) => ['group_id as owner', fn.min('priority').as('lowest')])
    .execute();
  return { current, last: new Map(turns.map(({ owner, lowest }) => [owner!, -lowest])) };
}
