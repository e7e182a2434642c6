import { afterAll, beforeAll, expect } from '@jest/globals';
import type pg from 'pg';
import { createPool } from '../../src/postgres/pool.ts';
import { clip } from '../support/clips.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { startSteadyLoad } from '../support/steadyLoad.ts';
import { profile } from '../support/system.ts';
import { call, newPeople, newPerson, uploaded, type Analytics, type Person } from '../support/systemClient.ts';
import { useSystem } from '../support/useSystem.ts';

/** Requests per second. By hand: REBUILD_LOAD=500. */
const PER_SECOND = Number(process.env['REBUILD_LOAD'] ?? 60);
const REBUILT = ['videos', 'analytics'] as const;

interface Operation {
  readonly id: string;
  readonly state: string;
  readonly error: string | null;
  readonly result?: { readonly identical: boolean };
}
interface Projection {
  readonly rebuild: Operation | null;
  readonly verification: Operation | null;
}

let database: TestDatabase | undefined;
let pool: pg.Pool;
const { system, systemTest } = useSystem({
  environment: async (engines) => {
    // The test writes wrong rows, and holds locks.
    if (engines['DATABASE_URL'] === undefined) database = await createTestDatabase();
    const url = engines['DATABASE_URL'] ?? database!.url;
    pool = createPool({ connectionString: url, name: 'projections test' });
    return { DATABASE_URL: url, ADMIN_EMAILS: 'grace@example.com' };
  },
});

let admin: Person;
let people: Person[];
let videoId: string;

beforeAll(async () => {
  admin = await newPerson(system().api(), { email: 'grace@example.com' });
  people = await newPeople(8, system().api);
  videoId = (await uploaded(system().api(), people[0]!.token, await clip('plain'))).id;
}, 120_000);
afterAll(async () => {
  await pool.end();
  await database?.[Symbol.asyncDispose]();
});

const ask = (method: string, name: string, action: string) =>
  call<Operation>(system().api(), method, `/api/v1/admin/projections/${name}/${action}`, { token: admin.token });
const show = async (name: string): Promise<Projection> =>
  (await call<Projection>(system().api(), 'GET', `/api/v1/admin/projections/${name}`, { token: admin.token })).data;

async function ended(name: string, what: 'rebuild' | 'verification'): Promise<Operation> {
  const found = await eventually(() => show(name), {
    within: 120_000,
    what: `the ${what} of ${name} has ended`,
    holds: (projection) => ['done', 'failed', 'cancelled'].includes(projection[what]?.state ?? ''),
  });
  return found[what]!;
}

async function expectIdentical(name: string): Promise<void> {
  expect((await ask('POST', name, 'verify')).status).toBe(202);
  expect(await ended(name, 'verification')).toMatchObject({ state: 'done', result: { identical: true } });
}

/** Keeps the rebuilds from replacing the live tables: they get as far as the swap. */
async function holdUpSwaps(): Promise<() => Promise<void>> {
  const client = await pool.connect();
  for (const name of REBUILT)
    await client.query('select pg_advisory_lock(hashtextextended($1, 0))', [`reelstream.layout ${name}`]);
  return async () => {
    await client.query('select pg_advisory_unlock_all()');
    client.release();
  };
}

/** How many rebuilds have filled their tables and wait for the swap. */
async function waitingForSwap(): Promise<number | null> {
  const { rowCount } = await pool.query(
    `select from pg_locks where locktype = 'advisory' and not granted
     and (classid::bigint << 32) | objid::bigint = any(select hashtextextended('reelstream.layout ' || name, 0) from unnest($1::text[]) name)`,
    [REBUILT],
  );
  return rowCount;
}

/** SIGKILL for each process that may run a rebuild. A load that has no other process to ask pauses meanwhile. */
async function killProjectors(load: { pause(): Promise<void>; resume(): void }): Promise<void> {
  if (profile === 'embedded') await load.pause();
  const victims = system().playing('projector');
  await Promise.all(victims.map((victim) => victim.end('SIGKILL')));
  await Promise.all(victims.map((victim) => victim.start()));
  if (profile === 'embedded') load.resume();
}

/**
 * Asks one API process for the same answer on and on. Each answer is wrong or right; after the first right one none is
 * wrong.
 */
function watch(isWrong: () => Promise<boolean>): {
  pause(): Promise<void>;
  resume(): void;
  stop(): Promise<boolean[]>;
} {
  const seen: boolean[] = [];
  let [isStopped, gate] = [false, Promise.resolve()];
  let open = (): void => undefined;
  let asking: Promise<unknown> = Promise.resolve();
  const watching = (async () => {
    while (!isStopped) {
      await gate;
      asking = isWrong().then((wrong) => seen.push(wrong));
      await asking;
    }
  })();
  return {
    async pause() {
      ({ promise: gate, resolve: open } = Promise.withResolvers<void>());
      await asking;
    },
    resume: () => open(),
    async stop() {
      isStopped = true;
      open();
      await watching;
      return seen;
    },
  };
}

systemTest(
  'rebuilds survive their processes under load: no request fails, and every answer is from the old tables or from the new ones',
  async () => {
    const [owner, ...viewers] = people as [Person, ...Person[]];
    await pool.query(`update videos.videos set title = 'wrong' where id = $1`, [videoId]);
    await pool.query(`update analytics.daily set likes = likes + 1000000`);
    const titleIsWrong = (base: string) => async (): Promise<boolean> => {
      const { status, data } = await call<{ video: { title: string } }>(base, 'GET', `/api/v1/video/${videoId}`);
      expect(status).toBe(200);
      return data.video.title === 'wrong';
    };
    const likesAreWrong = (base: string) => async (): Promise<boolean> => {
      const { status, data } = await call<Analytics>(base, 'GET', '/api/v1/analytics', { token: owner.token });
      expect(status).toBe(200);
      return data.totalLikes >= 1_000_000;
    };
    const watches = system().apis.flatMap((base) => [watch(titleIsWrong(base)), watch(likesAreWrong(base))]);
    const requests = startSteadyLoad({ perSecond: PER_SECOND, clients: 16 }, (n) => {
      const base = system().apis[n % system().apis.length]!;
      if (n % 3 > 0) return { base, method: 'GET', path: '/api/v1/video' };
      const { token } = viewers[n % viewers.length]!;
      const method = Math.floor(n / viewers.length) % 2 === 0 ? 'PUT' : 'DELETE';
      return { base, method, path: `/api/v1/video/${videoId}/like`, headers: { authorization: `Bearer ${token}` } };
    });
    const load = {
      pause: async () => void (await Promise.all([requests, ...watches].map((each) => each.pause()))),
      resume: () => [requests, ...watches].forEach((each) => each.resume()),
    };

    const release = await holdUpSwaps();
    const ids: string[] = [];
    for (const name of REBUILT) {
      const answers = await Promise.all([ask('POST', name, 'rebuild'), ask('POST', name, 'rebuild')]);
      expect(answers.map(({ status }) => status).toSorted()).toEqual([202, 409]);
      ids.push(answers.find(({ status }) => status === 202)!.data.id);
    }
    for (let kills = 0; kills < 2; kills++) {
      await eventually(async () => (await waitingForSwap()) === REBUILT.length, {
        within: 60_000,
        what: 'both rebuilds are under way',
      });
      await killProjectors(load);
    }
    await release();
    for (const [index, name] of REBUILT.entries())
      expect(await ended(name, 'rebuild')).toMatchObject({ id: ids[index], state: 'done' });
    const soFar = requests.answered;
    await eventually(() => requests.answered > soFar + PER_SECOND, { within: 60_000, what: 'the load goes on' });

    const answers = await Promise.all(watches.map((each) => each.stop()));
    await requests.stop();
    expect(requests.failures).toEqual([]);
    for (const seen of answers) {
      const firstRight = seen.indexOf(false);
      expect(firstRight).toBeGreaterThan(0);
      expect(seen.slice(firstRight)).not.toContain(true);
    }
    for (const name of REBUILT) await expectIdentical(name);
  },
  300_000,
);

systemTest(
  'a rebuild can be cancelled and asked for again, and a rollback leaves what the log says',
  async () => {
    const release = await holdUpSwaps();
    expect((await ask('POST', 'videos', 'rebuild')).status).toBe(202);
    await eventually(async () => (await waitingForSwap()) === 1, { what: 'the rebuild is under way' });
    const cancelling = ask('DELETE', 'videos', 'rebuild');
    await eventually(
      async () =>
        (
          await pool.query(
            `select from reelstream.projection_operations where state = 'running' and cancel_asked and projection = 'videos'`,
          )
        ).rowCount === 1,
      { what: 'the cancellation was asked for' },
    );
    await release();
    expect((await cancelling).status).toBe(200);
    expect((await show('videos')).rebuild).toMatchObject({ state: 'cancelled' });

    expect((await ask('POST', 'videos', 'rebuild')).status).toBe(202);
    expect(await ended('videos', 'rebuild')).toMatchObject({ state: 'done' });
    expect(
      (await call(system().api(), 'PUT', `/api/v1/video/${videoId}/like`, { token: people[1]!.token })).status,
    ).toBe(200);
    const rollback = await ask('POST', 'videos', 'rollback');
    expect(rollback).toMatchObject({ status: 200, data: { state: 'done' } });
    await expectIdentical('videos');
  },
  120_000,
);
