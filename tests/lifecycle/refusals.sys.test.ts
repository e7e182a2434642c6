import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { type InstanceOptions } from '../support/instance.ts';
import { asNobody, isRoot, nobody, refusal, useInstances } from '../support/useInstances.ts';

if (isRoot && asNobody === test.skip)
  process.stderr.write('SKIPPED: starts as an ordinary user, because other users cannot read this clone\n');
if (!isRoot)
  process.stderr.write('SKIPPED: starts as root and as another user, because these tests do not run as root\n');

const { place, start } = useInstances();

async function refusesFolder(options: Partial<InstanceOptions> & { readonly dataDir: string }): Promise<string> {
  const sentence = await refusal(start(options));
  expect(sentence).toMatch(/^DATA_DIR \(.*\) cannot be used: .*set DATA_DIR to another folder\.$/);
  expect(sentence).toContain(options.dataDir);
  return sentence;
}

describe('a start that cannot work exits with code 1 and one sentence', () => {
  test.each(['port', 'socketPort'] as const)('when its %s is taken, before it creates a database', async (which) => {
    const squatter = createServer().listen(place()[which], '127.0.0.1');
    await once(squatter, 'listening');
    const variable = which === 'port' ? 'PORT' : 'SOCKET_PORT';
    try {
      expect(await refusal(start())).toBe(
        `Another program uses port ${place()[which]}. Set ${variable} to a free one, e.g. ${variable}=${place()[which] + 100} npm start.`,
      );
      expect(existsSync(join(place().dataDir, 'postgres'))).toBe(false);
    } finally {
      squatter.close();
    }
  });

  const key = Buffer.alloc(32).toString('base64');
  test.each([
    ['all data in it', {}],
    [
      'only files in it',
      { DATABASE_URL: process.env['REELSTREAM_TEST_POSTGRES'], JWT_SECRET: key, REFRESH_SECRET: key, DATA_KEY: key },
    ],
  ])('when the data folder, with %s, is a file, is below a file, or cannot be created', async (_what, env) => {
    const [file, circle, taken] = ['file', 'circle', 'taken'].map((name) => join(place().folder, name)) as [
      string,
      string,
      string,
    ];
    writeFileSync(file, '');
    symlinkSync(circle, circle);
    for (const dataDir of [file, join(file, 'data'), circle, join(place().folder, 'x'.repeat(300)), '/proc/reelstream'])
      await refusesFolder({ dataDir, env });
    mkdirSync(taken);
    for (const name of ['tmp', 'objects']) {
      writeFileSync(join(taken, name), '');
      await refusesFolder({ dataDir: taken, env });
      rmSync(join(taken, name));
    }
  });

  asNobody('when an ordinary user may not enter or write the data folder or a folder above it', async () => {
    chmodSync(place().folder, 0o755);
    const [readOnly, closed] = ['read-only', 'closed'].map((name) => join(place().folder, name)) as [string, string];
    mkdirSync(readOnly, { mode: 0o755 });
    mkdirSync(closed, { mode: 0o700 });
    mkdirSync(join(closed, 'data'));
    for (const dataDir of [readOnly, join(readOnly, 'data'), closed, join(closed, 'data'), join(closed, 'none')]) {
      expect(await refusesFolder({ dataDir, account: nobody })).toContain('this user may not write there');
    }
  });

  test('when another version of PostgreSQL created the data, which stays unchanged', async () => {
    const folder = join(place().dataDir, 'postgres');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'PG_VERSION'), '17\n');
    const instance = start({ env: { DATA_KEY: Buffer.alloc(32).toString('base64') } });
    expect(await refusal(instance)).toMatch(
      /was created by PostgreSQL 17, and this ReelStream runs PostgreSQL 18\. Set DATA_DIR/,
    );
    expect(readdirSync(folder)).toEqual(['PG_VERSION']);
  });

  test('when settings are wrong, and names each of them', async () => {
    const { code, output } = await start({ env: { EXPIRES_IN: 'soon', UPLOAD_WAIT_SECONDS: '-1' } }).ended;
    expect(code).toBe(1);
    expect(output).toMatch(/- EXPIRES_IN must be .*\n- UPLOAD_WAIT_SECONDS must be /);
  });

  test('when DATABASE_URL names a database that does not exist, and does not show its password', async () => {
    const server = new URL(process.env['REELSTREAM_TEST_POSTGRES']!);
    server.pathname = '/no_such_database';
    server.password = 'hunter2';
    const sentence = await refusal(start({ env: { DATABASE_URL: server.href } }));
    expect(sentence).toMatch(
      /^The database of DATABASE_URL cannot be used \(database "no_such_database" does not exist\)/,
    );
    expect(sentence).not.toContain('hunter2');
  });
});
