import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../tests/support/database.ts';
import { eventually } from '../../tests/support/eventually.ts';
import { asUuid } from '../../tests/support/ids.ts';
import { appendLongLog } from '../../tests/support/longLog.ts';
import { noSettings } from '../../tests/support/noSettings.ts';
import { inShell, outcomeOf, type Ended } from '../../tests/support/reelstream.ts';
import type { EventStore } from '../core/eventStore.ts';
import { createPostgresEventStore } from '../eventStore/postgres/postgresEventStore.ts';
import type { LogEvent } from '../realtime/logEvent.ts';

const EVENTS = 30_000;
const root = new URL('../..', import.meta.url).pathname;
let folder: string;
let database: TestDatabase;
let store: EventStore;
let settings: Record<string, string>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'events-command-'));
  database = await createTestDatabase();
  store = createPostgresEventStore({ pool: database.pool });
  settings = { DATABASE_URL: database.url, DATA_DIR: join(folder, 'data') };
  await appendLongLog(database.pool, { events: EVENTS, days: 10, until: new Date('2026-01-11T00:00:00Z') });
});
afterAll(async () => {
  await store.close();
  await database[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

/** Runs `reelstream events <words>` in a shell. */
const events = (words: string): Promise<Ended> => inShell(`node bin/reelstream.js events ${words}`, settings);

/** Starts `reelstream events <words>`, for tests that stop it. */
function start(words: string): ChildProcessByStdio<null, Readable, Readable> {
  return spawn(process.execPath, ['bin/reelstream.js', 'events', ...words.split(' ')], {
    cwd: root,
    env: { ...noSettings, PATH: process.env['PATH'], ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

const parsed = (lines: string): LogEvent[] =>
  lines
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as LogEvent);
const positionsOf = (lines: string): number[] => parsed(lines).map(({ position }) => Number(position));
const through = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, n) => first + n);

describe('events export', () => {
  test('writes every event as a line of JSON, without personal data, and says where it ended', async () => {
    const { code, output, errors } = await events('export');
    expect([code, errors]).toEqual([
      0,
      expect.stringMatching(new RegExp(`\n${EVENTS} events, up to position ${EVENTS}.\n$`)),
    ]);
    expect(positionsOf(output)).toEqual(through(1, EVENTS));
    expect(output).not.toMatch(/@example\.com|"User \d|addr:/);
  });

  test('goes on after a position', async () => {
    const { output } = await events(`export --after ${EVENTS - 3}`);
    expect(positionsOf(output)).toEqual(through(EVENTS - 2, EVENTS));
    expect(await events(`export --after ${EVENTS}`)).toMatchObject({ code: 0, output: '' });
  });

  test('filters', async () => {
    const video = asUuid('video', 3);
    const [types, category, stream, times] = await Promise.all([
      events('export --type VideoUploaded,VideoDeleted'),
      events('export --category user --correlation-id made-up'),
      events(`export --stream video-${video}`),
      events('export --since 2026-01-05T00:00:00Z --until 2026-01-05T11:59:59.999Z'),
    ]);
    expect(new Set(parsed(types.output).map(({ type }) => type))).toEqual(new Set(['VideoUploaded', 'VideoDeleted']));
    expect(parsed(category.output)).toHaveLength(EVENTS / 200);
    expect(parsed(stream.output).map(({ revision }) => revision)).toEqual(
      [0, 1, 2].slice(0, parsed(stream.output).length),
    );
    expect(new Set(parsed(stream.output).map(({ data }) => data!['videoId']))).toEqual(new Set([video]));
    expect(parsed(times.output)).toHaveLength(EVENTS / 20);
  });

  test('writes a file that appears when it is complete', async () => {
    const file = join(folder, 'all.ndjson');
    expect(await events(`export --to ${file}`)).toMatchObject({ code: 0, output: '' });
    expect(positionsOf(await readFile(file, 'utf8'))).toEqual(through(1, EVENTS));
    expect(await readdir(folder)).not.toContainEqual(expect.stringContaining('.part'));
    const nowhere = await events(`export --to ${join(folder, 'no', 'such')}`);
    expect(nowhere).toMatchObject({ code: 1, errors: expect.stringContaining('cannot be written') });
  });

  test('that is stopped leaves no file', async () => {
    const file = join(folder, 'stopped.ndjson');
    const child = start(`export --to ${file}`);
    const ended = outcomeOf(child);
    child.stderr.once('data', () => child.kill('SIGINT'));
    expect(await ended).toMatchObject({ code: 130, errors: expect.stringContaining(`${file} was not written`) });
    expect((await readdir(folder)).filter((name) => name.startsWith('stopped'))).toEqual([]);
  });

  test('that is stopped says how to go on, and then nothing is missing or there twice', async () => {
    const child = start('export');
    const ended = outcomeOf(child);
    child.stderr.once('data', () => child.kill('SIGINT'));
    const { code, output, errors } = await ended;
    const [, after] = /To go on: (--after \d+), with/.exec(errors) ?? [];
    expect([code, after]).toEqual([130, expect.any(String)]);
    const rest = await events(`export ${after}`);
    expect(positionsOf(output + rest.output)).toEqual(through(1, EVENTS));
  });

  test('ends quietly when its reader closes the pipe', async () => {
    const { code, output, errors } = await inShell(
      'set -o pipefail; node bin/reelstream.js events export | head -n 2',
      settings,
    );
    expect([code, positionsOf(output)]).toEqual([0, [1, 2]]);
    expect(errors).not.toMatch(/interrupted|EPIPE|at /i);
  });
});

describe('events read', () => {
  const stream = `user-${asUuid('user', 5)}`;

  test('shows a stream to people, and as JSON to scripts', async () => {
    const [people, scripts] = await Promise.all([events(`read ${stream}`), events(`read ${stream} --json`)]);
    expect(people).toMatchObject({ code: 0, errors: '' });
    expect(people.output).toMatch(
      /^ +1001 {2}2026-\S+Z {2}UserRegistered +user-\S+ #0 {2}\{.*"name":"left out".*\}\n$/,
    );
    expect(parsed(scripts.output)).toMatchObject([{ stream, revision: 0, data: { email: 'left out' } }]);
  });

  test('of a stream that does not exist ends with exit code 1', async () => {
    expect(await events('read user-nobody')).toMatchObject({
      code: 1,
      output: '',
      errors: 'There is no stream "user-nobody".\n',
    });
  });

  test('prints no characters that control a terminal', async () => {
    const data = { videoId: 'v', ownerId: 'o', reason: `a\u001b[2J\u009b2Jb${'x'.repeat(5_000)}`, at: 'now' };
    const metadata = { correlationId: 'c', schemaVersion: 1 };
    await store.append('odd-1', [{ id: randomUUID(), type: 'VideoProcessingFailed', data, metadata }], 'none');
    const { output } = await events('read odd-1');
    expect(output).toMatch(/^[^\x00-\x09\x0b-\x1f\x7f-\x9f]*…\n$/);
  });
});

describe('events tail', () => {
  async function append(type: string): Promise<void> {
    const data = { videoId: 'v', ownerId: 'o', reason: 'r', at: 'now' };
    const metadata = { correlationId: 'tail', schemaVersion: 1 };
    await store.append('video-tailed', [{ id: randomUUID(), type, data, metadata }], 'any');
  }

  test('shows new events that pass the filter, until it is stopped', async () => {
    const child = start('tail --json --category video --type VideoProcessingFailed');
    const ended = outcomeOf(child);
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    await eventually(
      async () => {
        await append('VideoUnknown');
        await append('VideoProcessingFailed');
        return parsed(output).length > 2;
      },
      { what: 'new events are shown', every: 200 },
    );
    child.kill('SIGINT');
    expect((await ended).code).toBe(130);
    expect(new Set(parsed(output).map(({ type }) => type))).toEqual(new Set(['VideoProcessingFailed']));
    const revisions = parsed(output).map(({ revision }) => revision);
    expect(revisions).toEqual(revisions.map((_, n) => revisions[0]! + 2 * n));
  });

  test('begins at a position, or at the beginning', async () => {
    await append('VideoProcessingFailed');
    for (const [from, first] of [
      [`${EVENTS - 2}`, EVENTS - 1],
      ['beginning', 1],
    ] as const) {
      const child = start(`tail --json --from ${from}`);
      const ended = outcomeOf(child);
      let output = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
      await eventually(() => output.includes('"correlationId":"tail"'), {
        what: 'it has arrived at the newest events',
      });
      child.kill('SIGTERM');
      expect((await ended).code).toBe(143);
      expect(positionsOf(output).slice(0, 100)).toEqual(
        through(first, first + 99).slice(0, positionsOf(output).length),
      );
    }
  });
});

test.each([
  ['export --type VideoLike', 'VideoLiked'],
  ['export --since yesterday', 'since must be a time like'],
  ['export --since 2026-01-02T00:00:00Z --until 2026-01-01T00:00:00Z', 'since must not be after until'],
  ['export --since 2999-01-01T00:00:00Z', 'since must not be in the future'],
  ['export --after 99999999', 'after must be a position of the log, which ends at'],
  ['tail --from end', 'from must be a position of the log, which ends at'],
  ['tail --category video-1', 'before the hyphen'],
])('%s: exit code 2 and what to do', async (words, message) => {
  const { code, output, errors } = await events(words);
  expect([code, output]).toEqual([2, '']);
  expect(errors).toContain(message);
});
