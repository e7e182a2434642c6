import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { countedViews, countingViews, evenly, manyViews, viewed, viewsOf } from '../../tests/support/countingViews.ts';
import { asIs, createProjectingTest, quiet, type ProjectingTest } from '../../tests/support/projecting.ts';
import { createProjectionAdmin, type ProjectionAdmin } from './admin.ts';
import type { Consumer } from './consumer.ts';

let t: ProjectingTest;
let admin: ProjectionAdmin;
beforeEach(async () => {
  t = await createProjectingTest();
  admin = adminOf(countingViews());
});
afterEach(async () => {
  await t[Symbol.asyncDispose]();
});

const adminOf = (consumer: Consumer): ProjectionAdmin =>
  createProjectionAdmin({ pool: t.pool, store: t.store, decode: asIs, consumers: [consumer], log: quiet });

describe('looking after projections', () => {
  test('works before there has been any start', async () => {
    expect(await admin.list()).toMatchObject([{ name: 'counting', version: undefined, position: 0n, lagEvents: 0 }]);
    expect(await admin.parked('counting')).toEqual([]);
    expect(await admin.retry('counting', 'views-x')).toBe(0);
    expect((await admin.verify('counting')).drift).toEqual([]);
  });

  test('tells how far behind one is, in events and in seconds', async () => {
    await t.append(viewsOf(1), viewed(1), viewed(1));
    await t.append('session-1', {
      type: 'SessionStarted',
      data: { sessionId: 's', userId: 'u', expiresAt: '', at: '' },
    });
    const status = await admin.status('counting');
    expect(status).toMatchObject({ position: 0n, head: 3n, lagEvents: 2, declaredVersion: 1, parkedEvents: 0 });
    expect(status.lagSeconds).toBeGreaterThan(0);
  });

  test('rebuilds with news of how it goes, and refuses a second rebuild meanwhile', async () => {
    await manyViews(t, 100);
    const seen: bigint[] = [];
    const counting = countingViews();
    let second: Promise<void> | undefined;
    const busy = adminOf({
      ...counting,
      async apply(events, transaction) {
        await (second ??= expect(admin.rebuild('counting')).rejects.toMatchObject({ code: 'rebuild_under_way' }));
        await counting.apply(events, transaction);
      },
    });
    await busy.rebuild('counting', { onProgress: ({ position }) => seen.push(position) });
    expect(second).toBeDefined();
    expect(seen.at(-1)).toBe(100n);
    expect(await countedViews(t.pool)).toEqual(evenly(20));
    expect(await admin.status('counting')).toMatchObject({ position: 100n, version: 1, rebuild: undefined });
  });

  test('refuses a name that is no projection', async () => {
    for (const ask of [admin.status, admin.rebuild, admin.verify, admin.parked]) {
      await expect(ask('nope')).rejects.toMatchObject({ code: 'projection_not_found' });
    }
  });
});
