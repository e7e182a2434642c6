import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { declaredApiRoutes } from '../app/declaredRoutes.ts';
import { counted } from './analytics/index.ts';
import { features, projections, readModelConsumers } from './index.ts';

const FINGERPRINTS = new URL('../../projections/fingerprints.json', import.meta.url);

describe('the list of features', () => {
  test('has every folder with an index.ts, under the name of the folder', () => {
    const folders = readdirSync(import.meta.dirname).filter((name) =>
      existsSync(`${import.meta.dirname}/${name}/index.ts`),
    );
    expect(features.map(({ name }) => name).toSorted()).toEqual(folders.toSorted());
  });

  test('has every projection that a route reads', () => {
    const known = projections.map(({ name }) => name);
    const read = declaredApiRoutes().flatMap(({ operationId, reads = [] }) =>
      reads.map(({ name }) => ({ operationId, name })),
    );
    expect(read.length).toBeGreaterThan(0);
    expect(read.filter(({ name }) => !known.includes(name))).toEqual([]);
  });
});

test('the tables of a projection change only together with its version', async () => {
  const declared: Record<string, string> = {};
  for (const consumer of readModelConsumers({ viewRule: counted }))
    declared[`${consumer.name} ${consumer.version}`] = (await consumer.fingerprint!()).slice(0, 12);
  // Different tables under a known version: raise the version (for a count: countsVersion in projections/videoCounts.ts).
  // Then, and for a new projection, write what is received here into projections/fingerprints.json.
  expect(declared).toEqual(JSON.parse(readFileSync(FINGERPRINTS, 'utf8')));
});
