import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, watch, writeFileSync } from 'node:fs';
import { copyFile, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { clip } from './support/clips.ts';
import { eventually } from './support/eventually.ts';
import { Instance, newPlace, REPOSITORY, type Place } from './support/instance.ts';
import { noSettings } from './support/noSettings.ts';
import { inShell, type Ended } from './support/reelstream.ts';
import { call, newPerson, setLike, uploaded, type Person, type Video } from './support/systemClient.ts';

jest.setTimeout(240_000);

let place: Place;
let ada: Person;
let grace: Person;
let open: Video;
let full: Ended;
let answers: readonly unknown[];

const inFolder = (name: string): string => join(place.folder, name);
const start = (dataDir: string): Instance => new Instance({ ...place, dataDir });

async function reelstream(words: string, dataDir = place.dataDir, env: Record<string, string> = {}): Promise<Ended> {
  return inShell(`node bin/reelstream.js ${words}`, { DATA_DIR: dataDir, ...env });
}

/** Ends a command by SIGKILL as soon as a file appears in a folder. Answers whether it was under way then. */
async function killed(words: readonly string[], dataDir: string, folder: string, file: RegExp): Promise<boolean> {
  const watching = watch(folder);
  const child = spawn(process.execPath, ['bin/reelstream.js', ...words], {
    cwd: REPOSITORY,
    env: { ...process.env, ...noSettings, DATA_DIR: dataDir },
    stdio: 'ignore',
  });
  watching.on('change', (_, name) => {
    if (file.test(String(name))) child.kill('SIGKILL');
  });
  const [, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  watching.close();
  return signal === 'SIGKILL';
}

/** What people see, and the bytes of the videos. */
async function shown({ url }: Instance, after?: bigint): Promise<readonly unknown[]> {
  const options = { token: ada.token, after };
  const range = '?from=2020-01-01&to=2100-01-01';
  const found = await Promise.all([
    call(url, 'GET', '/api/v1/video/mine', options),
    call(url, 'GET', '/api/v1/video', { after }),
    call(url, 'GET', '/api/v1/auth/me', options),
    call(url, 'GET', `/api/v1/analytics${range}`, options),
    call(url, 'GET', '/api/v1/auth/me', { token: grace.token, after }),
  ]);
  expect(found.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
  const media = await fetch(open.url!);
  // Signed addresses end.
  const withoutSignatures = found.map(
    ({ data }) => JSON.parse(JSON.stringify(data).replaceAll(/private\/\d+\.[\w-]+/g, '')) as unknown,
  );
  return [...withoutSignatures, media.status, Buffer.from(await media.arrayBuffer()).toString('base64')];
}

beforeAll(async () => {
  place = await newPlace();
  await using server = await start(place.dataDir).ready();
  const { url } = server;
  ada = await newPerson(url);
  grace = await newPerson(url);
  open = await uploaded(url, ada.token, await clip('plain'), { title: 'Open to all' });
  await uploaded(url, ada.token, await clip('plain'), { title: 'For myself', visibility: 'private' });
  const liked = await setLike(url, open.id, grace.token);
  await expect(
    killed(['backup', inFolder('killed.tar')], place.dataDir, place.folder, /^killed\.tar\.\d+\.part$/),
  ).resolves.toBe(true);
  // Ladder, storyboard and preview come a moment after the video.
  await eventually(async () => (await call<Video[]>(url, 'GET', '/api/v1/video/mine', { token: ada.token })).data, {
    within: 60_000,
    what: 'both videos are complete',
    holds: (mine) => mine.every((each) => each.hlsUrl && each.storyboardUrl && each.previewUrl),
  });
  answers = await shown(server, liked.position);
  // While it runs.
  expect(await reelstream(`backup ${inFolder('one.tar')}`)).toMatchObject({
    code: 0,
    output: expect.stringMatching(/one\.tar: \d+ events, up to position \d+, and \d+ objects/),
  });
  // A file has at most ten kilobytes. PostgreSQL is not concerned, since it runs already.
  full = await inShell(`ulimit -f 10; node bin/reelstream.js backup ${inFolder('full.tar')}`, {
    DATA_DIR: place.dataDir,
  });
});
afterAll(async () => {
  await place[Symbol.asyncDispose]();
});

test('a backup that was killed has no name, and the next one takes its place', async () => {
  expect(existsSync(inFolder('killed.tar'))).toBe(false);
  // Stopped now: the command starts PostgreSQL itself.
  expect(await reelstream(`backup ${inFolder('killed.tar')}`)).toMatchObject({ code: 0 });
  expect(readdirSync(place.folder).filter((name) => name.includes('.part'))).toEqual([]);
  expect((await stat(inFolder('killed.tar.keys'))).mode & 0o777).toBe(0o600);
  expect(await reelstream(`backup ${inFolder('killed.tar')}`)).toMatchObject({
    code: 1,
    errors: expect.stringContaining('A backup never replaces a file'),
  });
});

test('a disk that is full leaves no file of a backup', () => {
  expect(full).toMatchObject({ code: 1, errors: expect.stringContaining('full.tar cannot be written: EFBIG') });
  expect(readdirSync(place.folder).filter((name) => name.startsWith('full'))).toEqual([]);
});

test('no personal data, and no key, is in the file that is not the keys', async () => {
  const text = await readFile(inFolder('one.tar'), 'latin1');
  for (const each of [ada.email, ada.username, 'Open to all', 'For myself']) expect(text).not.toContain(each);
  const { DATA_KEY } = JSON.parse(readFileSync(join(place.dataDir, 'secrets.json'), 'utf8')) as { DATA_KEY: string };
  expect(text).not.toContain(DATA_KEY);
});

test('a restore that was killed begins anew, and then everything is as it was', async () => {
  const dataDir = inFolder('restored');
  const words = ['restore', inFolder('one.tar')];
  const marked = join(dataDir, 'restore-unfinished');
  // The folder is made by the command, so that its parent is watched until the folder is there.
  expect((await reelstream('restore nothing.tar', dataDir)).code).toBe(1);
  await inShell(`mkdir -m 700 ${dataDir}`);
  expect(await killed(words, dataDir, dataDir, /^objects$/)).toBe(true);
  expect(existsSync(marked)).toBe(true);
  const refused = start(dataDir);
  expect(await refused.ended).toMatchObject({ code: 1, output: expect.stringContaining('was interrupted') });

  expect(await reelstream(words.join(' '), dataDir)).toMatchObject({ code: 0 });
  expect(existsSync(marked)).toBe(false);
  expect(await reelstream('events check', dataDir)).toMatchObject({
    code: 0,
    output: expect.stringContaining('Every event is as it was recorded'),
  });
  await using server = await start(dataDir).ready();
  const { position } = await setLike(server.url, open.id, grace.token);
  expect(await shown(server, position)).toEqual(answers);
  // New events, jobs and tokens work.
  await uploaded(server.url, grace.token, await clip('plain'));
  const refreshed = await call(server.url, 'POST', '/api/v1/auth/refresh-token', { cookie: ada.cookie });
  expect(refreshed.status).toBe(200);
});

test('what cannot be restored is refused before anything is written', async () => {
  const dataDir = inFolder('refused');
  await copyFile(inFolder('one.tar'), inFolder('cut.tar'));
  await copyFile(inFolder('one.tar.keys'), inFolder('cut.tar.keys'));
  await inShell(`truncate -s -2000 ${inFolder('cut.tar')}`);
  const keys = await readFile(inFolder('one.tar.keys'), 'utf8');
  writeFileSync(inFolder('damaged.keys'), keys.replace('"rows":[{', '"rows":[{ '));
  for (const [words, message] of [
    [`restore ${inFolder('cut.tar')}`, 'its end is missing'],
    [`restore ${inFolder('one.tar')} --keys ${inFolder('damaged.keys')}`, 'damaged.keys is not complete'],
    [`restore ${inFolder('one.tar')} --keys ${inFolder('one.tar')}`, 'is no file with the keys'],
  ] as const)
    expect(await reelstream(words, dataDir)).toMatchObject({ code: 1, errors: expect.stringContaining(message) });
  expect(existsSync(dataDir)).toBe(false);
  expect(await reelstream(`restore ${inFolder('one.tar')}`)).toMatchObject({
    code: 1,
    errors: expect.stringContaining('is not empty'),
  });
  expect(await reelstream(`restore ${inFolder('one.tar')}`, dataDir, { DATABASE_URL: 'postgres://x' })).toMatchObject({
    code: 1,
    errors: expect.stringContaining('DATABASE_URL is set'),
  });
});

test('a restore with keys that are not the newest says so', async () => {
  const dataDir = inFolder('older');
  expect(await reelstream(`restore ${inFolder('one.tar')}`, dataDir)).toMatchObject({
    code: 0,
    errors: expect.stringContaining('killed.tar.keys is newer than'),
  });
  await rm(dataDir, { recursive: true });
});
