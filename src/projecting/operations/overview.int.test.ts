import { expect, test } from '@jest/globals';
import { countingViews, manyViews } from '../../../tests/support/countingViews.ts';
import { createProjectingTest } from '../../../tests/support/projecting.ts';
import { rebuild } from '../rebuilding/rebuild.ts';
import { projectionOverview } from './overview.ts';

test('a projection can be looked at while rebuilds replace its tables', async () => {
  await using t = await createProjectingTest();
  const consumer = countingViews();
  const head = await manyViews(t, 50);
  await (await t.run([consumer])).reached('counting', head);
  let rebuilding = true;
  async function look(): Promise<void> {
    while (rebuilding) {
      const { position, version, tables } = await projectionOverview({ ...t, keepHours: 1 }, consumer);
      expect({ position, version, tables }).toEqual({
        position: head,
        version: consumer.version,
        tables: [expect.objectContaining({ table: 'seen', rows: 5 })],
      });
    }
  }
  async function rebuildOften(): Promise<void> {
    try {
      for (let n = 0; n < 20; n++) await rebuild({ ...t.of(consumer), keepReplaced: n % 2 === 0 });
    } finally {
      rebuilding = false;
    }
  }
  await Promise.all([rebuildOften(), look(), look(), look()]);
});
