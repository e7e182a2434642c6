import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../tests/support/database.ts';
import { fixedKeys, type KeyRing } from '../core/keyRing.ts';
import { createNames, firstNameKey, type Names } from '../core/names.ts';
import { subkey } from '../core/sealing.ts';
import { UserForgotten, WrongMasterKey, type UserKeys } from '../core/userKeys.ts';
import { openPostgresUserKeys } from './postgresUserKeys.ts';
import { masterKeyUse, rotateMasterKey, type RotateMasterKeyOptions } from './rotateMasterKey.ts';

const [first, second, third] = [randomBytes(32), randomBytes(32), randomBytes(32)];

let database: TestDatabase;
beforeEach(async () => {
  database = await createTestDatabase();
});
afterEach(async () => database[Symbol.asyncDispose]());

/** What a process that starts with these keys has. */
const open = (...keys: Buffer[]): Promise<UserKeys & { readonly names: Names }> =>
  openPostgresUserKeys({ pool: database.pool, masterKeys: fixedKeys(...keys) });
const rotate = (options: Partial<RotateMasterKeyOptions> = {}): Promise<number> =>
  rotateMasterKey({ pool: database.pool, ring: fixedKeys(second, first), ...options });
const ids = (count: number): string[] => Array.from({ length: count }, () => randomUUID());
const forget = (userId: string): Promise<unknown> =>
  database.pool.query('update reelstream.user_keys set wrapped = null, forgotten_at = now() where user_id = $1', [
    userId,
  ]);

test('users’ keys and names are the same under the new master key, and the earlier one is no longer needed', async () => {
  const users = ids(7);
  const before = await open(first);
  const keys = await before.forSealing(users);
  const name = before.names('email', 'zoe@example.org');
  // As programs of older versions named her.
  expect(name).toBe(createNames((kind) => firstNameKey(first, kind))('email', 'zoe@example.org'));
  await forget(users[3]!);

  expect(await rotate({ batch: 2 })).toBe(6);
  expect(await rotate()).toBe(0);
  expect(await masterKeyUse(database.pool)).toMatchObject({ number: 2, users: 6, usersOfEarlier: 0, complete: true });
  const after = await open(second);
  expect(after.names('email', 'zoe@example.org')).toBe(name);
  expect(await after.forOpening(users)).toEqual(new Map(keys).set(users[3]!, undefined as unknown as Buffer));
  await expect(after.forSealing([users[3]!])).rejects.toThrow(UserForgotten);

  await expect(open(first)).rejects.toThrow(/was replaced by another key/);
  await expect(open(third)).rejects.toThrow(WrongMasterKey);
  // A program of an older version makes this fingerprint of either key, and refuses to start.
  const { rows } = await database.pool.query<{ fingerprint: Buffer }>('select fingerprint from reelstream.master_key');
  for (const key of [first, second])
    expect(createHmac('sha256', subkey(key, 'fingerprint')).digest()).not.toEqual(rows[0]!.fingerprint);
});

test('a rotation that was stopped is continued by the next one; until then both keys are needed', async () => {
  const users = ids(9);
  const keys = await (await open(first)).forSealing(users);
  const stop = new AbortController();
  const stopped = rotate({ batch: 4, signal: stop.signal, onProgress: () => stop.abort(new Error('stopped')) });
  await expect(stopped).rejects.toThrow('stopped');
  expect(await masterKeyUse(database.pool)).toMatchObject({ users: 4, usersOfEarlier: 5, complete: false });

  await expect(open(second)).rejects.toThrow(/DATA_KEY_ACCEPTED/);
  for (const ring of [
    [first, second],
    [second, first],
  ])
    expect(await (await open(...ring)).forOpening(users)).toEqual(keys);
  expect(await rotate()).toBe(5);
  expect(await (await open(second)).forOpening(users)).toEqual(keys);

  // Another key, while a rotation is not complete: that one is completed first.
  const again = new AbortController();
  const toThird = { ring: fixedKeys(third, second), batch: 4 };
  await expect(
    rotate({ ...toThird, signal: again.signal, onProgress: () => again.abort(new Error('stopped')) }),
  ).rejects.toThrow('stopped');
  expect(await rotate({ ring: fixedKeys(first, third, second) })).toBe(5 + 9);
  expect(await (await open(first)).forOpening(users)).toEqual(keys);
});

test('users register and are forgotten meanwhile, also at a process that hears of the new key last; two commands share the work', async () => {
  const users = ids(40);
  const seeded = await (await open(first)).forSealing(users);
  // Finds the new key where it is kept when it looks there, as with the file in the data folder.
  let [keys, kept] = [[first], [first]];
  const late: KeyRing<Buffer> = {
    keys: () => keys,
    refresh: () => {
      const changed = keys !== kept;
      keys = kept;
      return changed;
    },
  };
  const registering = await openPostgresUserKeys({ pool: database.pool, masterKeys: late, cacheMs: 1 });
  kept = [second, first];

  const registered = new Map<string, Buffer>();
  let rotating = true;
  const register = async (): Promise<void> => {
    while (rotating || registered.size < 20) {
      const [userId, key] = [...(await registering.forSealing(ids(1)))][0]!;
      registered.set(userId, key);
    }
  };
  const rotations = Promise.all([rotate({ batch: 3 }), rotate({ batch: 3 }), forget(users[30]!)]).finally(() => {
    rotating = false;
  });
  await Promise.all([rotations, register()]);

  expect(await masterKeyUse(database.pool)).toMatchObject({ usersOfEarlier: 0, complete: true });
  const after = await open(second);
  expect(await after.forOpening([...registered.keys()])).toEqual(registered);
  expect(await after.forOpening(users)).toEqual(new Map(seeded).set(users[30]!, undefined as unknown as Buffer));
});
