import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { countingViews, viewed, viewsOf } from '../../tests/support/countingViews.ts';
import { eventually } from '../../tests/support/eventually.ts';
import { createProjectingTest, quiet, type ProjectingTest } from '../../tests/support/projecting.ts';
import { createHealth, type ComponentHealth } from '../http/server/health.ts';
import type { Consumer } from '../projecting/consumer.ts';
import { consumerChecks } from './projectionHealth.ts';

let t: ProjectingTest;
beforeEach(async () => {
  t = await createProjectingTest();
});
afterEach(async () => {
  await t[Symbol.asyncDispose]();
});

/** Runs the consumer. Returns what `/health` says of it. */
async function healthOf(consumer: Consumer): Promise<() => Promise<ComponentHealth>> {
  const { projector } = await t.run([consumer]);
  const checks = consumerChecks(projector, t.pool, [consumer]);
  const health = createHealth({ checks, logger: quiet, draining: new AbortController().signal, keepMs: 0 });
  return async () => {
    const { healthy, components } = await health.report();
    expect(healthy).toBe(true);
    return components['projection counting']!;
  };
}

const seen = (health: () => Promise<ComponentHealth>, state: string, status: string): Promise<ComponentHealth> =>
  eventually(health, {
    what: `it is ${status} and ${state}`,
    holds: (it) => it.state === state && it.status === status,
  });

test('a projection that applies events is up, and one with parked events is down', async () => {
  const health = await healthOf(countingViews({ refuse: (viewer) => viewer === 'poison' }));
  await seen(health, 'running', 'up');
  await t.append(viewsOf(1), viewed(1, 'poison'), viewed(1));
  expect(await seen(health, 'running', 'down')).toMatchObject({ parkedEvents: 2, required: false });
});

test('a projection that fails to apply events is down until it succeeds', async () => {
  let broken = true;
  const counting = countingViews();
  const health = await healthOf({
    ...counting,
    apply: (...batch) =>
      broken
        ? Promise.reject(Object.assign(new Error('the table is missing'), { code: '42P01' }))
        : counting.apply(...batch),
  });
  await t.append(viewsOf(1), viewed(1));
  await seen(health, 'failing', 'down');
  broken = false;
  await seen(health, 'running', 'up');
});

test('a projection that is being rebuilt is up, and says so', async () => {
  const { stop, reached } = await t.run([countingViews()]);
  await reached('counting', await t.append(viewsOf(1), viewed(1)));
  await stop();
  const release = Promise.withResolvers<void>();
  const newer = countingViews({ version: 2 });
  const health = await healthOf({ ...newer, apply: (...batch) => release.promise.then(() => newer.apply(...batch)) });
  await seen(health, 'rebuilding', 'up');
  release.resolve();
  await seen(health, 'running', 'up');
});
