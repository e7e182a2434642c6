import { once } from 'node:events';
import { chownSync, existsSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { gone, newPlace } from '../support/instance.ts';
import { eventually } from '../support/eventually.ts';
import { useInstances } from '../support/useInstances.ts';

const { place, start } = useInstances({ used: true });

describe('a stop', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)('by %s exits with code 0 and leaves no process behind', async (signal) => {
    const instance = await start().ready();
    const { postmaster, watchdog } = await instance.helpers();
    expect(await instance.stop(signal)).toMatchObject({ code: 0, signal: null });
    for (const pid of [postmaster, watchdog]) expect(existsSync(`/proc/${pid}`)).toBe(false);
  });

  test('of npm stops everything that npm start has started', async () => {
    const npm = await start({ command: ['npm', 'start'] }).ready();
    npm.kill('SIGTERM');
    await gone(place().dataDir);
    await eventually(
      () =>
        fetch(npm.url).then(
          () => false,
          () => true,
        ),
      { what: 'nothing listens on the port' },
    );
  });

  test('during the start stops everything that has been started', async () => {
    const instance = start();
    await eventually(() => existsSync(join(place().dataDir, 'postgres', 'postmaster.pid')), {
      what: 'PostgreSQL is starting',
      every: 5,
    });
    expect(await instance.stop()).toMatchObject({ code: 0 });
    await gone(place().dataDir);
  });
});

describe('a start that waits', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)(
    'for a database that does not answer ends on %s with code 0',
    async (signal) => {
      const silent = createServer().listen(0, '127.0.0.1');
      await once(silent, 'listening');
      await using unused = await newPlace();
      try {
        for (const port of [unused.port, (silent.address() as AddressInfo).port]) {
          const instance = start({
            command: [process.execPath, 'bin/reelstream.js', 'api'],
            env: { DATABASE_URL: `postgres://127.0.0.1:${port}/reelstream` },
          });
          await eventually(() => instance.output.includes('waiting for the database'), { what: 'the start waits' });
          expect(await instance.stop(signal)).toMatchObject({ code: 0 });
        }
      } finally {
        silent.close();
      }
    },
  );

  test('for PostgreSQL to recover ends on SIGTERM, and leaves no process behind', async () => {
    await (await start().ready()).stop();
    // A standby without a primary is never ready.
    writeFileSync(join(place().dataDir, 'postgres', 'standby.signal'), '');
    const { uid, gid } = statSync(join(place().dataDir, 'postgres'));
    chownSync(join(place().dataDir, 'postgres', 'standby.signal'), uid, gid);
    const instance = start();
    await eventually(() => existsSync(join(place().dataDir, 'postgres', 'postmaster.pid')), {
      what: 'PostgreSQL is starting',
      every: 5,
    });
    expect(await instance.stop()).toMatchObject({ code: 0 });
    await gone(place().dataDir);
  });
});
