import { chownSync, existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { gone, login, register } from '../support/instance.ts';
import { eventually } from '../support/eventually.ts';
import { longName, useInstances } from '../support/useInstances.ts';

const { place, start } = useInstances({ used: true });

describe('after SIGKILL', () => {
  const victims: { what: string; others: ('watchdog' | 'postmaster')[] }[] = [
    { what: 'our process, its PostgreSQL stops by itself', others: [] },
    {
      what: 'our process and its watchdog, the next start stops the PostgreSQL that was left behind',
      others: ['watchdog'],
    },
    { what: 'our process, its watchdog and PostgreSQL, the next start recovers', others: ['watchdog', 'postmaster'] },
  ];
  test.each(victims)('of $what, and everything acknowledged is still there', async ({ others }) => {
    const first = await start().ready();
    expect(await register(first)).toBe(201);
    const helpers = await first.helpers();
    for (const other of others) process.kill(helpers[other], 'SIGKILL');
    await first.stop('SIGKILL');
    if (others.length === 0) await gone(place().dataDir);

    const second = await start().ready();
    expect(await login(second)).toBe(200);
    expect((await second.helpers()).postmaster).not.toBe(helpers.postmaster);
    expect(existsSync(`/proc/${helpers.postmaster}/cwd`)).toBe(false);
  });

  test('of PostgreSQL alone, ReelStream keeps running and starts it again', async () => {
    const instance = await start().ready();
    expect(await register(instance)).toBe(201);
    const { postmaster } = await instance.helpers();
    process.kill(postmaster, 'SIGKILL');
    await eventually(async () => (await instance.helpers()).postmaster !== postmaster, {
      what: 'a new PostgreSQL runs',
    });
    await eventually(() => login(instance), {
      within: 30_000,
      what: 'logging in works again',
      holds: (status) => status === 200,
    });
    expect(await instance.stop()).toMatchObject({ code: 0 });
  });

  test('of PostgreSQL alone, ReelStream starts it again, also when its socket is outside of its folder', async () => {
    const instance = await start({ dataDir: longName(place()) }).ready();
    expect(await register(instance)).toBe(201);
    const { postmaster } = await instance.helpers();
    process.kill(postmaster, 'SIGKILL');
    await eventually(() => login(instance), {
      within: 30_000,
      what: 'logging in works again',
      holds: (status) => status === 200,
    });
    expect(await instance.stop()).toMatchObject({ code: 0 });
  });

  test('a lock file whose process id now belongs to another program does not prevent a start', async () => {
    await (await start().ready()).stop();
    const { uid, gid } = statSync(join(place().dataDir, 'postgres'));
    for (const name of ['postmaster.pid', '.s.PGSQL.5432.lock']) {
      const path = join(place().dataDir, 'postgres', name);
      // This process has the same user as the server. PostgreSQL ignores the lock of a process of another user by
      // itself.
      writeFileSync(path, `${process.pid}\n${place().dataDir}\n1\n5432\n.\n\n1 1\n`);
      chownSync(path, uid, gid);
    }
    await start().ready();
  });
});
