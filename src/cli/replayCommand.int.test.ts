import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { asUuid } from '../../tests/support/ids.ts';
import { createProjectingTest, type ProjectingTest } from '../../tests/support/projecting.ts';
import { reelstream, type Ended } from '../../tests/support/reelstream.ts';

let t: ProjectingTest;
let folder: string;

beforeAll(async () => {
  t = await createProjectingTest();
  folder = await mkdtemp(join(tmpdir(), 'replay-'));
  const [videoId, ownerId] = [asUuid('video', 1), asUuid('user', 1)];
  for (const day of ['2025-01-30', '2025-01-31'])
    for (const viewer of ['user:ann', 'user:ann', `user:${ownerId}`])
      await t.append(`views-${videoId}_${day}`, {
        type: 'VideoViewed',
        data: { videoId, ownerId, viewer, at: `${day}T12:00:00.000Z` },
      });
});
afterAll(async () => {
  await t[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const replay = (options: string): Promise<Ended> =>
  reelstream(`replay analytics --from 2025-01-01 --to 2025-01-31 ${options}`, {
    DATABASE_URL: t.url,
    DATA_DIR: folder,
  });

const rules = '--rule counted --rule daily-unique --rule not-the-owner+daily-unique';

describe('replay analytics', () => {
  test('prints a table, and its progress on standard error', async () => {
    const { code, output, errors } = await replay(rules);
    expect([code, errors]).toEqual([0, expect.stringContaining('100 % replayed 6 of 6')]);
    expect(output.split('\n').map((line) => line.trim().split(/ {2,}/))).toEqual([
      [
        'date',
        'counted',
        'daily-unique',
        'daily-unique - counted',
        'daily-unique+not-the-owner',
        'daily-unique+not-the-owner - counted',
      ],
      ['2025-01-30', '3', '2', '-1', '1', '-2'],
      ['2025-01-31', '3', '2', '-1', '1', '-2'],
      ['total', '6', '4', '-2', '2', '-4'],
      [''],
    ]);
  });

  test('prints CSV', async () => {
    const { code, output } = await replay('--rule counted --rule daily-unique --format csv');
    expect([code, output]).toEqual([
      0,
      'date,counted,daily-unique,daily-unique - counted\r\n2025-01-30,3,2,-1\r\n2025-01-31,3,2,-1\r\n',
    ]);
  });

  test('prints JSON, for the videos of one user or for one video', async () => {
    const mine = await replay(
      `--rule counted --format json --owner ${asUuid('user', 1)} --video ${asUuid('video', 1)}`,
    );
    expect([mine.code, JSON.parse(mine.output)]).toMatchObject([
      0,
      { total: { views: { counted: 6 } }, position: '6' },
    ]);
    const others = await replay(`--rule counted --format json --owner ${asUuid('user', 2)}`);
    expect([others.code, JSON.parse(others.output)]).toMatchObject([0, { days: [], total: { views: { counted: 0 } } }]);
  });

  test.each([
    ['', "required option '--rule <rule>' not specified"],
    ['--rule others', 'rules must be counted, daily-unique, not-the-owner'],
    ['--rule counted --rule counted', 'counted is given twice'],
    ['--rule counted --from 2025-02-01', 'from must not be after 2025-01-31'],
    ['--rule counted --from 2025-13-01', '--from must be a day like 2025-01-31'],
    ['--rule counted --owner ann', 'It must be an id like'],
    ['--rule counted --format xml', 'Allowed choices are table, csv, json'],
  ])('%s: exit code 2, and what to do', async (options, message) => {
    const { code, output, errors } = await replay(options);
    expect([code, output]).toEqual([2, '']);
    expect(errors).toContain(message);
  });

  test('under a setting VIEW_RULE that is no rule: exit code 1 and the list of the rules', async () => {
    const { code, errors } = await reelstream('projections list', {
      DATABASE_URL: t.url,
      VIEW_RULE: 'others',
      DATA_DIR: folder,
    });
    expect([code, errors]).toEqual([
      1,
      'VIEW_RULE must be one of counted, daily-unique, not-the-owner, or several of them joined by +, not "others" (example: VIEW_RULE=daily-unique).\n',
    ]);
  });
});
