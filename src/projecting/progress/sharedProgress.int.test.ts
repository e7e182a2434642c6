import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { countingViews, manyViews, viewed, viewsOf } from '../../../tests/support/countingViews.ts';
import { eventually } from '../../../tests/support/eventually.ts';
import { asIs, createProjectingTest, quiet, type ProjectingTest } from '../../../tests/support/projecting.ts';
import { createDirectSource } from '../../delivery/direct/directSource.ts';
import type { ProjectionCommit } from '../../core/projectionProgress.ts';
import { createSharedProgress, type SharedProgress } from './sharedProgress.ts';
import type { PartitionMoved } from './progressTracker.ts';
import { createProjector } from '../projector.ts';

const WAIT_MS = 30_000;

let t: ProjectingTest;
let moves: PartitionMoved[];
let here: SharedProgress;
let elsewhere: SharedProgress;
const ended: (() => Promise<void>)[] = [];

/** Projections run in one "process", and another one only hears of them. */
beforeEach(async () => {
  t = await createProjectingTest();
  [here, elsewhere] = [await begin(), await begin()];
  const source = createDirectSource({ store: t.store, logger: quiet });
  moves = [];
  const onMoved = (move: PartitionMoved): void => {
    moves.push(move);
    here.moved(move);
  };
  const projector = createProjector({
    pool: t.pool,
    store: t.store,
    decode: asIs,
    source,
    consumers: [countingViews()],
    log: quiet,
    onMoved,
  });
  ended.push(
    () => projector.stop(),
    () => source.close(),
  );
  await projector.start();
});

async function begin(): Promise<SharedProgress> {
  const progress = createSharedProgress({ pool: t.pool, projections: ['counting', 'nowhere'], log: quiet });
  await progress.start();
  ended.push(() => progress.close());
  return progress;
}

afterEach(async () => {
  for (const end of ended.splice(0).toReversed()) await end();
  await t[Symbol.asyncDispose]();
});

describe('the progress of projections', () => {
  test('is told in the process that runs them and in others', async () => {
    const position = await manyViews(t, 20);
    expect(
      await Promise.all(
        [here, elsewhere].map((progress) => progress.waitFor('counting', position, { timeoutMs: WAIT_MS })),
      ),
    ).toEqual([true, true]);
    // What was read before that commit may arrive after the news of it, and is put right by the next look.
    await eventually(() => [here, elsewhere].every((progress) => progress.position('counting') === position), {
      what: 'both say so',
    });
  });

  test('says within the time limit that a position has not been reached, and stops when the caller goes', async () => {
    const position = await manyViews(t, 5);
    expect(await elsewhere.waitFor('counting', position + 1n, { timeoutMs: 50 })).toBe(false);
    const gone = new AbortController();
    const waiting = elsewhere.waitFor('counting', position + 1n, { timeoutMs: 60_000, signal: gone.signal });
    gone.abort();
    expect(await waiting).toBe(false);
  });

  test('tells each process of commits that changed rows', async () => {
    const commits: ProjectionCommit[] = [];
    elsewhere.onCommit((commit) => commits.push(commit));
    const position = await t.append(viewsOf(1), viewed(1));
    await eventually(() => commits.some((commit) => commit.position >= position), { what: 'the commit is told of' });
  });

  test('tells no process of a commit where no rows were changed', async () => {
    const commits: ProjectionCommit[] = [];
    elsewhere.onCommit((commit) => commits.push(commit));
    // Of a projection that has no tables: its checkpoint tells nothing, only the notification does. That may be lost, hence again and again.
    const tell = (position: bigint, changed: boolean): void =>
      here.moved({ projection: 'nowhere', partition: 0, partitions: 1, position, changed });
    await eventually(() => (tell(1n, false), elsewhere.position('nowhere') === 1n), {
      what: 'the position is heard of',
    });
    expect(commits).toEqual([]);
    await eventually(() => (tell(2n, true), elsewhere.position('nowhere') === 2n), {
      what: 'the next position is heard of',
    });
    expect(commits).toEqual([{ projection: 'nowhere', position: 2n }]);
  });

  test('is said by a projector to have changed rows only where it has', async () => {
    const position = await t.append('session-1', {
      type: 'SessionStarted',
      data: { sessionId: 's', userId: 'u', expiresAt: '', at: '' },
    });
    await here.waitFor('counting', position, { timeoutMs: WAIT_MS });
    expect(moves.filter(({ changed }) => changed)).toEqual([]);
    const next = await t.append(viewsOf(1), viewed(1));
    await here.waitFor('counting', next, { timeoutMs: WAIT_MS });
    expect(moves.filter(({ changed }) => changed).map((move) => move.position)).toEqual([next]);
  });

  test('is found out by asking when notifications do not come', async () => {
    await t.pool.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and query like 'listen %'`,
    );
    const position = await manyViews(t, 5);
    expect(await elsewhere.waitFor('counting', position, { timeoutMs: WAIT_MS })).toBe(true);
  });

  test('known to a process that starts later', async () => {
    const position = await manyViews(t, 5);
    await here.waitFor('counting', position, { timeoutMs: WAIT_MS });
    expect((await begin()).position('counting')).toBe(position);
  });
});
