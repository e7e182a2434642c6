import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
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
const declared = [
  { name: 'counting', version: 1 },
  { name: 'nowhere', version: 1 },
];
const ended: (() => Promise<void>)[] = [];

/** One "process" runs the projection, and another one only listens. */
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
    discarded: () => Promise.resolve(new Set()),
    source,
    consumers: [countingViews()],
    logger: quiet,
    onMoved,
  });
  ended.push(
    () => projector.stop(),
    () => source.close(),
  );
  await projector.start();
  await eventually(() => elsewhere.state('counting') === 'current', { what: 'the other process knows the tables' });
});

async function begin(): Promise<SharedProgress> {
  const progress = createSharedProgress({ pool: t.pool, projections: declared, logger: quiet });
  await progress.start();
  ended.push(() => progress.close());
  return progress;
}

afterEach(async () => {
  for (const end of ended.splice(0).toReversed()) await end();
  await t[Symbol.asyncDispose]();
});

describe('the progress of projections', () => {
  test('is reported in the process that runs them and in others', async () => {
    const position = await manyViews(t, 20);
    expect(
      await Promise.all(
        [here, elsewhere].map((progress) => progress.waitFor('counting', position, { timeoutMs: WAIT_MS })),
      ),
    ).toEqual([true, true]);
    // An older position may arrive after a newer one; the next poll corrects it.
    await eventually(() => [here, elsewhere].every((progress) => progress.position('counting') === position), {
      what: 'both report the position',
    });
  });

  test('reports within the time limit that a position has not been reached, and stops waiting when the caller aborts', async () => {
    const position = await manyViews(t, 5);
    expect(await elsewhere.waitFor('counting', position + 1n, { timeoutMs: 50 })).toBe(false);
    const caller = new AbortController();
    const waiting = elsewhere.waitFor('counting', position + 1n, { timeoutMs: 60_000, signal: caller.signal });
    caller.abort();
    expect(await waiting).toBe(false);
  });

  test('reports commits that changed rows to each process', async () => {
    const commits: ProjectionCommit[] = [];
    elsewhere.onCommit((commit) => commits.push(commit));
    const position = await t.append(viewsOf(1), viewed(1));
    await eventually(() => commits.some((commit) => commit.position >= position), { what: 'the commit is reported' });
  });

  test('does not report commits that changed no rows', async () => {
    const commits: ProjectionCommit[] = [];
    elsewhere.onCommit((commit) => commits.push(commit));
    // This projection has no tables, so only notifications report it. One may be lost, hence the repetition.
    const report = (position: bigint, changed: boolean): void =>
      here.moved({ projection: 'nowhere', partition: 0, partitions: 1, position, changed });
    await eventually(() => (report(1n, false), elsewhere.position('nowhere') === 1n), { what: 'the position arrives' });
    expect(commits).toEqual([]);
    await eventually(() => (report(2n, true), elsewhere.position('nowhere') === 2n), {
      what: 'the next position arrives',
    });
    expect(commits).toEqual([{ projection: 'nowhere', position: 2n }]);
  });

  test('says that rows changed only when they did', async () => {
    const position = await t.append('session-1', {
      type: 'SessionRefreshed',
      data: { sessionId: 's', userId: 'u', expiresAt: '', at: '' },
    });
    await here.waitFor('counting', position, { timeoutMs: WAIT_MS });
    expect(moves.filter(({ changed }) => changed)).toEqual([]);
    const next = await t.append(viewsOf(1), viewed(1));
    await here.waitFor('counting', next, { timeoutMs: WAIT_MS });
    expect(moves.filter(({ changed }) => changed).map((move) => move.position)).toEqual([next]);
  });

  test('is polled while notifications do not arrive', async () => {
    await t.pool.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and query like 'listen %'`,
    );
    const position = await manyViews(t, 5);
    expect(await elsewhere.waitFor('counting', position, { timeoutMs: WAIT_MS })).toBe(true);
  });

  test('is not sent to anybody while only this process listens', async () => {
    await elsewhere.close();
    const statements = jest.spyOn(t.pool, 'query');
    const sent = (): number => statements.mock.calls.filter(([text]) => String(text).includes('pg_notify')).length;
    await eventually(
      async () => {
        const before = sent();
        const position = await manyViews(t, 1);
        await here.waitFor('counting', position, { timeoutMs: WAIT_MS });
        return sent() === before;
      },
      { what: 'a commit is not announced' },
    );
    // A process that begins hears of the next ones.
    const newcomer = await begin();
    const position = await manyViews(t, 5);
    expect(await newcomer.waitFor('counting', position, { timeoutMs: WAIT_MS })).toBe(true);
    const before = sent();
    await eventually(async () => (await manyViews(t, 1), sent() > before), { what: 'commits are announced again' });
    statements.mockRestore();
  });

  test('is known to a process that starts later', async () => {
    const position = await manyViews(t, 5);
    await here.waitFor('counting', position, { timeoutMs: WAIT_MS });
    expect((await begin()).position('counting')).toBe(position);
  });

  test('answers at once, in each process, while an older version is in place; and waits again once the new one is', async () => {
    const position = await manyViews(t, 5);
    await here.waitFor('counting', position, { timeoutMs: WAIT_MS });
    declared[0]!.version = 2;
    const newer = await begin();
    declared[0]!.version = 1;
    expect(newer.state('counting')).toBe('rebuilding');
    const began = performance.now();
    expect(await newer.waitFor('counting', position + 1n, { timeoutMs: WAIT_MS })).toBe(false);
    expect(performance.now() - began).toBeLessThan(WAIT_MS / 2);
    expect(await newer.waitFor('counting', position, { timeoutMs: WAIT_MS })).toBe(true);
    // Both in the table, which a process reads when its LISTEN begins, and by notification.
    await t.pool.query('update counting.checkpoints set version = 2');
    const report = (): void =>
      here.moved({ projection: 'counting', partition: 0, partitions: 1, position, version: 2, changed: false });
    await eventually(() => (report(), newer.state('counting') === 'current'), { what: 'the new version is reported' });
    await eventually(() => (report(), elsewhere.state('counting') === 'newer'), {
      what: 'the older program sees a newer version',
    });
  });

  test('includes the variant in place, from the table and by notification', async () => {
    const position = await manyViews(t, 5);
    await here.waitFor('counting', position, { timeoutMs: WAIT_MS });
    // This projection has no tables, so only notifications report it.
    const report = (variant: string): void =>
      here.moved({ projection: 'nowhere', partition: 0, partitions: 1, position, version: 1, variant, changed: false });
    await eventually(() => (report(''), elsewhere.state('nowhere') === 'current'), { what: 'the variant is reported' });
    await eventually(() => (report('a+b'), elsewhere.state('nowhere') === 'rebuilding'), {
      what: 'another variant is reported',
    });
    await t.pool.query(`update counting.checkpoints set variant = 'a+b'`);
    expect((await begin()).state('counting')).toBe('rebuilding');
  });
});
