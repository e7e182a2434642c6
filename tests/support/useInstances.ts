import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import { gone, Instance, newPlace, REPOSITORY, type InstanceOptions, type Place } from './instance.ts';
import { mayRead } from './scripts.ts';

export const isRoot = process.geteuid?.() === 0;
/** The user `nobody`, which every system has. */
export const nobody = { uid: 65_534, gid: 65_534 };
export const asRoot = isRoot ? test : test.skip;
/** For root only: starts as another user, who must be able to read this clone. */
export const asNobody = isRoot && mayRead(REPOSITORY) ? test : test.skip;

export interface Instances {
  /** Of the test that runs. */
  place(): Place;
  /** Starts ReelStream there. It is stopped after the test. */
  start(options?: Partial<InstanceOptions>): Instance;
}

/**
 * Starts of ReelStream for the tests of a file, each test in a place of its own.
 * @param options.used the data folder is that of an earlier start, which ended without an account
 */
export function useInstances({ used = false }: { readonly used?: boolean } = {}): Instances {
  jest.setTimeout(240_000);
  let place: Place;
  let earlier: Place | undefined;
  let instances: Instance[] = [];
  const start: Instances['start'] = (options = {}) => {
    const instance = new Instance({ ...place, ...options });
    instances.push(instance);
    return instance;
  };

  if (used) {
    beforeAll(async () => {
      earlier = await newPlace();
      await using instance = await new Instance(earlier).ready();
      expect(await instance.stop()).toMatchObject({ code: 0 });
      await gone(earlier.dataDir);
    });
    afterAll(async () => {
      await earlier?.[Symbol.asyncDispose]();
    });
  }
  beforeEach(async () => {
    place = await newPlace();
    // With the owners of its files.
    if (earlier !== undefined) execFileSync('cp', ['-a', earlier.dataDir, place.dataDir]);
  });
  afterEach(async () => {
    await Promise.all(instances.map((instance) => instance[Symbol.asyncDispose]()));
    instances = [];
    await place[Symbol.asyncDispose]();
  });
  return { place: () => place, start };
}

/** Waits until the start fails. Returns the one sentence that it printed for the user, without a stack. */
export async function refusal(instance: Instance): Promise<string> {
  const { code, output } = await instance.ended;
  expect({ code, lines: output.trim().split('\n').length }).toEqual({ code: 1, lines: 1 });
  return output.trim();
}

/** Has few enough characters for the name of a socket, but too many bytes. */
export function longName({ folder }: Place): string {
  return join(folder, 'ü'.repeat(40));
}
