import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../tests/support/database.ts';
import { inShell, type Ended } from '../../tests/support/reelstream.ts';
import type { EventStore } from '../core/eventStore.ts';
import { all, someEvents } from '../eventStore/contract/eventStoreContract.ts';
import { createPostgresEventStore } from '../eventStore/postgres/postgresEventStore.ts';

let folder: string;
let database: TestDatabase;
let store: EventStore;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'integrity-'));
  database = await createTestDatabase();
  store = createPostgresEventStore({ pool: database.pool });
  await store.append('video-one', someEvents(3), 'none');
  await store.append('like-one_two', someEvents(2), 'none');
  await store.append('video-one', someEvents(2), 'any');
});
afterEach(async () => {
  await store.close();
  await database[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

/** Runs `reelstream events <words>` in a shell, as somebody whose data folder has this name. */
async function events(words: string, dataFolder = 'data', env: Record<string, string> = {}): Promise<Ended> {
  const settings = { DATABASE_URL: database.url, DATA_DIR: join(folder, dataFolder), ...env };
  return inShell(`node bin/reelstream.js events ${words}`, settings);
}

async function tamper(...statements: readonly string[]): Promise<void> {
  await database.pool.query(['alter table reelstream.events disable trigger user', ...statements].join('; '));
}

const inFolder = (name: string): string => join(folder, name);

describe('events check', () => {
  test('says that the log is in order, with progress on standard error', async () => {
    expect(await events('check')).toMatchObject({
      code: 0,
      output: '7 events checked, up to position 7.\nEvery event is as it was recorded.\n',
      errors: expect.stringContaining('100 % 7 events, position 7 of 7'),
    });
    const { output } = await events('check --json');
    const none = { withoutHash: 0, withoutTime: 0, erased: 0, broken: null };
    expect(JSON.parse(output)).toEqual({ events: 7, position: '7', ...none });
  });

  test('names the first event that was changed, and ends with 1', async () => {
    await tamper(`update reelstream.events set type = 'Other' where position in (4, 7)`);
    const { code, output } = await events('check');
    expect([code, output]).toEqual([
      1,
      expect.stringMatching(/^3 events .*\nThe log is broken at position 4, stream like-one_two, revision 0: Its hash/),
    ]);
    const scripts = await events('check --json');
    expect(scripts.code).toBe(1);
    expect(JSON.parse(scripts.output)).toMatchObject({
      broken: { position: '4', stream: 'like-one_two', revision: 0, problem: expect.any(String) },
    });
  });

  test('checks one stream, or from a position', async () => {
    await tamper(`update reelstream.events set type = 'Other' where position = 4`);
    expect(await events('check --stream video-one')).toMatchObject({
      code: 0,
      output: expect.stringMatching(/^5 events checked\.\n/),
    });
    expect(await events('check --stream like-one_two')).toMatchObject({ code: 1 });
    expect(await events('check --from 6')).toMatchObject({ code: 0 });
    expect(await events('check --stream nothing')).toMatchObject({
      code: 1,
      errors: expect.stringContaining('There is no stream'),
    });
  });

  test('says how many events are from before there were hashes', async () => {
    await tamper(`update reelstream.events set hash = null where stream = 'like-one_two'`);
    const { code, output } = await events('check');
    expect([code, output]).toEqual([
      0,
      expect.stringContaining('2 of them were recorded before events had hashes, the last at position 5'),
    ]);
  });
});

describe('events seal', () => {
  const file = (): string => inFolder('seal.json');

  async function sealed(): Promise<{ readonly publicKey: string }> {
    const { code, errors } = await events(`seal --out ${file()}`);
    expect([code, errors]).toEqual([0, expect.stringContaining('Sealed 7 events, up to position 7.')]);
    return JSON.parse(await readFile(file(), 'utf8')) as { publicKey: string };
  }

  test('writes a seal, which a third party checks with the public key alone', async () => {
    const { publicKey } = await sealed();
    const [first] = await all(store.readStream('video-one'));
    expect(JSON.parse(await readFile(file(), 'utf8'))).toMatchObject({
      format: 'reelstream-seal-1',
      log: first!.id,
      position: '7',
      events: 7,
    });
    await store.append('video-one', someEvents(1), 'any');
    const byThird = `check --seal ${file()} --public-key ${publicKey}`;
    expect(await events(byThird, 'elsewhere')).toMatchObject({
      code: 0,
      output: expect.stringContaining('the first 7 are those sealed at 20'),
    });
    expect(await events(`check --seal ${file()}`, 'elsewhere')).toMatchObject({
      code: 2,
      errors: expect.stringContaining('--public-key'),
    });
    await tamper('delete from reelstream.events where position > 6', 'update reelstream.head set position = 6');
    expect(await events('check')).toMatchObject({ code: 0 });
    expect(await events(byThird, 'elsewhere')).toMatchObject({
      code: 1,
      output: expect.stringContaining('6 events, and the seal is of 7'),
    });
  });

  test('makes its key once, which only its owner can read, unless SEAL_KEY gives one', async () => {
    const { publicKey } = await sealed();
    expect((await sealed()).publicKey).toBe(publicKey);
    expect((await stat(inFolder('data/seal.key'))).mode & 0o777).toBe(0o600);
    const SEAL_KEY = Buffer.alloc(32, 7).toString('base64');
    const toPipe = await events('seal', 'elsewhere', { SEAL_KEY });
    const own = JSON.parse(toPipe.output) as { publicKey: string };
    expect(own.publicKey).not.toBe(publicKey);
    await writeFile(inFolder('own.json'), toPipe.output);
    expect(await events(`check --seal ${inFolder('own.json')}`, 'elsewhere', { SEAL_KEY })).toMatchObject({ code: 0 });
    // The key that a seal names is not trusted.
    expect(await events(`check --seal ${inFolder('own.json')}`)).toMatchObject({
      code: 1,
      errors: expect.stringContaining(`not signed by the owner of the public key ${publicKey}`),
    });
  });

  test('is refused when it was changed, and when it is none', async () => {
    await sealed();
    const text = await readFile(file(), 'utf8');
    await writeFile(file(), text.replace('"events": 7', '"events": 6'));
    expect(await events(`check --seal ${file()}`)).toMatchObject({
      code: 1,
      errors: expect.stringContaining('changed after it was signed'),
    });
    await writeFile(file(), text.slice(0, -10));
    expect(await events(`check --seal ${file()}`)).toMatchObject({
      code: 2,
      errors: expect.stringContaining('not a seal'),
    });
    expect(await events(`check --seal ${inFolder('nothing')}`)).toMatchObject({ code: 1 });
  });

  test('seals no log that is broken', async () => {
    await tamper(`update reelstream.events set type = 'Other' where position = 4`);
    expect(await events(`seal --out ${file()}`)).toMatchObject({
      code: 1,
      output: '',
      errors: expect.stringContaining('broken at position 4'),
    });
    await expect(stat(file())).rejects.toThrow('ENOENT');
  });
});

test.each([
  ['check --from 0', '--from must be a position of the log, which ends at 7'],
  ['check --from 8', '--from must be a position of the log, which ends at 7'],
  ['check --from 2 --seal x.json', '--seal needs the whole log'],
  ['check --from 2 --stream video-one', '--stream checks the whole stream'],
])('%s: exit code 2 and what to do', async (words, message) => {
  expect(await events(words)).toMatchObject({ code: 2, output: '', errors: expect.stringContaining(message) });
});
