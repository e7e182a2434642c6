import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import jwt from 'jsonwebtoken';
import type { Pool } from 'pg';
import { createPool } from '../src/postgres/pool.ts';
import { findEmbeddedPostgres } from '../src/postgres/embeddedPostgres.ts';
import { eventually } from './support/eventually.ts';
import { Instance, newPlace, type Ending, type Place } from './support/instance.ts';
import { call, type Answer } from './support/systemClient.ts';

jest.setTimeout(120_000);

let place: Place;
const running: Instance[] = [];
beforeEach(async () => {
  place = await newPlace();
});
afterEach(async () => {
  for (const each of running.splice(0).reverse()) await each[Symbol.asyncDispose]();
  await place[Symbol.asyncDispose]();
});

type Tokens = Answer<{ accessToken: string }>;

function start(line: string): Instance {
  const instance = new Instance({ ...place, command: [process.execPath, 'bin/reelstream.js', ...line.split(' ')] });
  running.push(instance);
  return instance;
}
const keys = (line: string): Promise<Ending> => start(`keys ${line}`).ended;
async function serve(): Promise<string> {
  const server = start('serve');
  await server.ready();
  return server.url;
}

const account = (name: string) => ({ email: `${name}@example.org`, password: 'engine#1843' });
async function register(base: string, name: string): Promise<number> {
  const json = { name: 'Some One', username: name, ...account(name) };
  return (await call(base, 'POST', '/api/v1/auth/register', { json })).status;
}
const logIn = (base: string, name: string): Promise<Tokens> =>
  call(base, 'POST', '/api/v1/auth/login', { json: account(name) });
function refresh(base: string, { headers }: Tokens): Promise<Tokens> {
  const cookies = headers.getSetCookie().map((each) => each.split(';')[0]!);
  return call(base, 'POST', '/api/v1/auth/refresh-token', { headers: { cookie: cookies.join('; ') } });
}
async function asks(base: string, { data }: Tokens): Promise<number> {
  return (await call(base, 'GET', '/api/v1/auth/me', { token: data.accessToken })).status;
}

test('secrets are replaced while it runs: nobody must log in again, and a killed rotation goes on', async () => {
  const base = await serve();
  for (const name of ['ada', 'bob', 'cyd']) expect(await register(base, name)).toBe(201);
  const ada = await logIn(base, 'ada');
  const bob = await logIn(base, 'bob');
  const secrets = () => JSON.parse(readFileSync(join(place.dataDir, 'secrets.json'), 'utf8')) as Kept;
  const first = secrets();

  // It waits for the lock of one user's key, and is killed there.
  const killed = await whileKeysAreLocked(async (pool) => {
    const rotation = start('keys rotate all');
    const waiting = `select from pg_stat_activity where wait_event_type = 'Lock' and query ~ 'user_keys'`;
    await eventually(async () => (await pool.query(waiting)).rowCount === 1, { what: 'the rotation waits for a key' });
    return rotation.stop('SIGKILL');
  });
  expect(killed.signal).toBe('SIGKILL');
  const begun = secrets();
  expect(begun).toMatchObject({ JWT_SECRET: first.JWT_SECRET, EARLIER: [{ name: 'DATA_KEY', value: first.DATA_KEY }] });
  // The server reads users' keys, and makes one with the new key that it has never been told of.
  expect(await register(base, 'dan')).toBe(201);

  const { code, output } = await keys('rotate all');
  expect({ code, output }).toMatchObject({ code: 0, output: expect.stringContaining('3 by this command') });
  const second = secrets();
  expect(second).toMatchObject({ DATA_KEY: begun.DATA_KEY, EARLIER: expect.any(Array) });
  expect(second.EARLIER!.map(({ name, value }) => [name, value])).toEqual(
    expect.arrayContaining(Object.entries({ ...first })),
  );
  const listed = await keys('list');
  expect(listed.output).toMatch(/JWT_SECRET .*1 +20\d\d-.*It encrypts the keys of 4 users\.\n$/s);
  for (const text of [listed.output, output])
    for (const secret of [first, second].flatMap((each) => [each.JWT_SECRET, each.REFRESH_SECRET, each.DATA_KEY]))
      expect(text).not.toContain(secret);

  expect(await asks(base, ada)).toBe(200);
  const renewed = await eventually(() => refresh(base, bob), {
    what: 'bob refreshes',
    holds: ({ status }) => status === 200,
  });
  await eventually(() => logIn(base, 'cyd'), {
    what: 'tokens are signed with the new secret',
    holds: ({ data }) => isSignedBy(data.accessToken, second.JWT_SECRET),
  });

  // What the earlier secret signed is refused at once.
  expect((await keys('rotate jwt --at-once')).output).toContain('is refused');
  await eventually(() => asks(base, ada), {
    what: 'the token of before is refused',
    holds: (status) => status === 401,
  });
  await running[0]!.stop();

  const again = await serve();
  expect(await asks(again, await refresh(again, renewed))).toBe(200);
  for (const name of ['ada', 'dan']) expect((await logIn(again, name)).status).toBe(200);
  // Names did not change, so the address is still taken.
  expect(await register(again, 'bob')).toBe(409);
});

/** Another connection of the pool sees who waits for the lock. */
async function whileKeysAreLocked<T>(work: (pool: Pool) => Promise<T>): Promise<T> {
  const pool = createPool({ connectionString: (await findEmbeddedPostgres(place.dataDir))!, name: 'test' });
  const client = await pool.connect();
  try {
    await client.query('begin; select from reelstream.user_keys for update');
    return await work(pool);
  } finally {
    client.release(true);
    await pool.end();
  }
}

interface Kept {
  readonly JWT_SECRET: string;
  readonly REFRESH_SECRET: string;
  readonly DATA_KEY: string;
  readonly EARLIER?: readonly { readonly name: string; readonly value: string; readonly until?: string }[];
}

function isSignedBy(token: string, secret: string): boolean {
  try {
    jwt.verify(token, secret, { algorithms: ['HS256'] });
    return true;
  } catch {
    return false;
  }
}
