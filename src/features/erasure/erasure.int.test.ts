import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { v7 } from 'uuid';
import { startAccountsTest, type AccountsTest } from '../../../tests/support/accounts.ts';
import { eventually } from '../../../tests/support/eventually.ts';
import { quiet } from '../../../tests/support/projecting.ts';
import { checkLog, checkStream } from '../../eventStore/integrity/checkLog.ts';
import { createPostgresEraser } from '../../eventStore/postgres/eraseInPlace.ts';
import { createErasedTables } from '../../projecting/erasedTables.ts';
import { userStream } from '../accounts/index.ts';
import type { WorkerContext } from '../feature.ts';
import { videoStream } from '../videos/index.ts';
import { eraseUser } from './eraseUser.ts';
import { createTombstoneSweep } from './tombstoneSweep.ts';

const ME = '/api/v1/auth/me';
const READ_MODELS = ['accounts', 'sessions', 'videos'];
/** A text of a user that an older program recorded in clear. */
const textOf = (userId: string): string => `A title of ${userId}`;

let t: AccountsTest;
beforeAll(async () => {
  t = await startAccountsTest();
});
afterAll(async () => {
  await t[Symbol.asyncDispose]();
});

interface Someone {
  readonly id: string;
  readonly credentials: {
    readonly name: string;
    readonly username: string;
    readonly email: string;
    readonly password: string;
  };
  readonly headers: { readonly authorization: string };
}

async function someone(): Promise<Someone> {
  const tag = randomBytes(4).toString('hex');
  const credentials = { name: `Ann ${tag}`, username: `ann${tag}`, email: `${tag}@example.org`, password: 'fahim123@' };
  const { body } = await t.post('/api/v1/auth/register', credentials);
  const { email, password } = credentials;
  const login = await t.post('/api/v1/auth/login', { email, password });
  const headers = { authorization: `Bearer ${String(login.body.data['accessToken'])}` };
  return { id: body.data['id'] as string, credentials, headers };
}

/** Records a video as a program did that did not seal titles, and its deletion if it was deleted since. */
async function oldVideo(ownerId: string, { isDeleted = false } = {}): Promise<string> {
  const videoId = v7();
  const at = new Date().toISOString();
  const ids = { videoId, ownerId };
  const original = { key: `originals/${videoId}/a.mp4`, size: 1 };
  const facts = { duration: 1, width: 64, height: 48 };
  const uploaded = { ...ids, title: textOf(ownerId), description: '', original, facts, visibility: 'public', at };
  const event = (type: string, data: object, schemaVersion: number) => ({
    id: v7(),
    type,
    data,
    metadata: { correlationId: 'old', schemaVersion },
  });
  await t.rawStore.append(
    videoStream(videoId),
    [
      event('VideoUploaded', uploaded, 2),
      event('VideoDetailsChanged', { ...ids, title: 'Changed', description: textOf(ownerId), at }, 1),
      ...(isDeleted ? [event('VideoDeleted', { ...ids, wasPublic: false, at }, 2)] : []),
    ],
    'none',
  );
  return videoId;
}

async function forget({ credentials, headers }: Someone): Promise<void> {
  const { status } = await t.send('DELETE', ME, { password: credentials.password }, headers);
  expect(status).toBe(202);
}

/** Erases as the worker does. `dieAt` ends it with an error at the nth append to the log. */
async function erase({ id: userId }: Pick<Someone, 'id'>, dieAt = Infinity): Promise<void> {
  let appends = 0;
  const store: WorkerContext['store'] = {
    ...t.store,
    async append(...given) {
      if (++appends === dieAt) throw new Error('killed');
      return t.store.append(...given);
    },
  };
  const context = {
    ...t.context,
    store,
    keys: t.keys,
    eraseInPlace: createPostgresEraser(t.pool),
    erasedTables: createErasedTables({ pool: t.pool, consumers: READ_MODELS.map((name) => ({ name })) }),
  } as unknown as WorkerContext;
  const job = { userId, correlationId: 'test', causationId: v7() };
  await eraseUser(context, job, { signal: new AbortController().signal });
}

async function tablesWith(text: string): Promise<string[]> {
  const { rows: tables } = await t.pool.query<{ name: string }>(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname not in ('pg_catalog', 'information_schema')`,
  );
  const found: string[] = [];
  for (const { name } of tables) {
    const { rowCount } = await t.pool.query(`select from ${name} t where t::text ilike $1 limit 1`, [`%${text}%`]);
    if (rowCount !== 0) found.push(name);
  }
  return found;
}

const logIsWhole = async () => checkLog({ store: t.rawStore, until: await t.rawStore.head(), gapless: true });

test('titles that an older program recorded in clear are erased in the log, and the check tells it from tampering', async () => {
  const ann = await someone();
  const videos = [await oldVideo(ann.id), await oldVideo(ann.id, { isDeleted: true })];
  await eventually(async () => tablesWith(textOf(ann.id)), {
    what: 'the titles are projected',
    holds: (where) => where.length > 1,
  });
  const before = await logIsWhole();
  await forget(ann);
  await erase(ann);
  expect(await tablesWith(textOf(ann.id))).toEqual([]);
  expect(await logIsWhole()).toMatchObject({ broken: undefined, erased: before.erased + 4 });
  const stream = videoStream(videos[0]!);
  for await (const { type, data } of t.store.readStream(stream, {}))
    if (type === 'VideoDetailsChanged') expect(data).toMatchObject({ title: 'forgotten', description: 'forgotten' });

  const { rows } = await t.pool.query<{ data: string }>(
    'select data::text from reelstream.events where stream = $1 and revision = 0',
    [stream],
  );
  const write = (data: string): Promise<unknown> =>
    t.pool.query(`
      alter table reelstream.events disable trigger user;
      update reelstream.events set data = '${data}' where stream = '${stream}' and revision = 0;
      alter table reelstream.events enable trigger user`);
  await write(rows[0]!.data.replaceAll(ann.id, v7()));
  const { broken } = await checkStream(t.rawStore, stream);
  expect(broken).toMatchObject({
    revision: 0,
    problem: expect.stringContaining('what was left of it was changed') as unknown,
  });
  await write(rows[0]!.data);
});

test('PostgreSQL refuses every other change of an event', async () => {
  const ann = await someone();
  const stream = videoStream(await oldVideo(ann.id));
  const change = (data: string): Promise<unknown> =>
    t.pool.query(`update reelstream.events set data = (${data})::json where stream = $1 and revision = 0`, [stream]);
  const rejected = { message: expect.stringMatching(/append-only/) };
  await expect(change(`data::jsonb || '{"title":"x"}'`)).rejects.toMatchObject(rejected);
  await expect(change(`data::jsonb - 'title'`)).rejects.toMatchObject(rejected);
  const erased = (fields: string): string => `data::jsonb || '{"erased":{"fields":${fields},"recorded":"x"}}'`;
  await expect(change(`(${erased('["ownerId"]')}) - 'ownerId'`)).rejects.toMatchObject(rejected);
  await expect(change(erased('["title"]'))).rejects.toMatchObject(rejected);
});

describe('an erasure', () => {
  test('that is killed at any append is completed by the next try, and its names are free', async () => {
    for (let dieAt = 1; ; dieAt++) {
      const ann = await someone();
      await oldVideo(ann.id);
      await forget(ann);
      const wasKilled = await erase(ann, dieAt).then(
        () => false,
        (error: Error) => error.message === 'killed',
      );
      await erase(ann);
      for (const text of [ann.credentials.email, ann.credentials.name, textOf(ann.id)])
        expect(await tablesWith(text)).toEqual([]);
      if (wasKilled) continue;
      expect(dieAt).toBeGreaterThan(5);
      expect((await t.post('/api/v1/auth/register', ann.credentials)).status).toBe(201);
      break;
    }
    expect((await logIsWhole()).broken).toBeUndefined();
  });

  test('drops tables that were kept for a rollback, and waits for a user whose events are parked', async () => {
    const ann = await someone();
    await t.pool.query(`
      create schema accounts__old;
      create table accounts__old.users as select * from accounts.users;
      create table accounts__old.kept_checkpoints as select *, now() as replaced_at from accounts.checkpoints;
      update accounts__old.kept_checkpoints set position = 1`);
    await forget(ann);
    await erase(ann);
    expect(await tablesWith(ann.credentials.email)).toEqual([]);

    const stream = userStream(ann.id);
    await t.pool.query(
      `insert into accounts.parked_events (position, stream, revision, id, type, error, attempts) values (1, $1, 0, $2, 'x', 'x', 1)`,
      [stream, v7()],
    );
    const tables = createErasedTables({ pool: t.pool, consumers: [{ name: 'accounts' }] });
    expect(await tables.behind(1n, [stream])).toEqual(['accounts']);
    await t.pool.query('delete from accounts.parked_events');
    expect(await tables.behind(1n, [stream])).toEqual([]);
  });

  test('begins anew for a tombstone that the log does not know', async () => {
    const ann = await someone();
    await eventually(() => tablesWith(ann.credentials.email), {
      what: 'the account',
      holds: (where) => where.length > 0,
    });
    await t.keys.forget(ann.id);
    const sweep = createTombstoneSweep({ store: t.store, db: t.db, logger: quiet });
    expect(await sweep.look()).toBe(1);
    await erase(ann);
    expect(await tablesWith(ann.credentials.email)).toEqual([]);
    expect(await sweep.look()).toBe(0);
    const { status } = await t.post('/api/v1/auth/register', ann.credentials);
    expect(status).toBe(201);
  });
});
