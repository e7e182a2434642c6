import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { gone, login, newPlace, register, REPOSITORY } from '../support/instance.ts';
import { eventually } from '../support/eventually.ts';
import { freePorts } from '../support/freePorts.ts';
import { refusal, useInstances } from '../support/useInstances.ts';

const { place, start } = useInstances();

describe('a start', () => {
  test('prints its address, its data folder and the command for a first tour; a second start finds the data again', async () => {
    const first = await start().ready();
    await eventually(() => first.output.includes('first tour'), { what: 'the first start has named the tour' });
    expect(first.output).toContain(`listens on http://localhost:${place().port}`);
    expect(first.output).toContain(`Its data is in ${place().dataDir}`);
    expect(first.output).toContain(
      `A first tour, in another terminal: examples/tour.sh http://localhost:${place().port}\n`,
    );
    expect(await register(first)).toBe(201);
    expect(await first.stop()).toMatchObject({ code: 0 });
    await gone(place().dataDir);

    const second = await start().ready();
    expect(await login(second)).toBe(200);
    expect((await second.stop()).output).not.toContain('first tour');
  });

  test('reads .env in the working folder; variables that are already set win', async () => {
    writeFileSync(join(place().folder, '.env'), `DATA_DIR=./here\nPORT=1\nLOG_LEVEL=silent\n`);
    const command = [process.execPath, join(REPOSITORY, 'bin/reelstream.js')] as const;
    const instance = await start({
      cwd: place().folder,
      command,
      dataDir: join(place().folder, 'here'),
      env: { DATA_DIR: undefined, LOG_LEVEL: undefined },
    }).ready();
    expect(existsSync(join(instance.dataDir, 'postgres', 'PG_VERSION'))).toBe(true);
    expect((await instance.stop()).output).not.toContain('"level"');
  });

  test('works beside another one that has other ports and another folder, but not on the same folder', async () => {
    await using other = await newPlace();
    const [one, two] = await Promise.all([start().ready(), start(other).ready()]);
    expect([await register(one), await register(two)]).toEqual([201, 201]);

    await using ports = await newPlace();
    expect(await refusal(start({ port: ports.port, socketPort: ports.socketPort }))).toMatch(
      /is in use by another ReelStream\. Stop that one, or set DATA_DIR/,
    );
    expect(await login(one)).toBe(200);
    await Promise.all([one.stop(), two.stop()]);
    await gone(other.dataDir);
  });

  test('at the same moment as another one on the same folder: one runs, the other is refused', async () => {
    await using ports = await newPlace();
    const both = [start(), start({ port: ports.port, socketPort: ports.socketPort })];
    const loser = await Promise.race(both.map(async (instance) => (await instance.ended, instance)));
    expect(await refusal(loser)).toMatch(/is in use by another ReelStream/);
    const winner = await both.find((instance) => instance !== loser)!.ready();
    expect(await register(winner)).toBe(201);
  });

  test("ignores the PostgreSQL variables of the user's shell", async () => {
    const env = {
      PGHOST: 'nowhere',
      PGPORT: '1',
      PGUSER: 'nobody',
      PGDATABASE: 'nothing',
      PGSSLMODE: 'require',
      PGSSLNEGOTIATION: 'direct',
      PGREPLICATION: 'database',
      PGOPTIONS: '-c nonsense=1',
      PGCLIENT_ENCODING: 'LATIN1',
      PGDATA: '/nowhere',
      PGTZ: 'Mars/Base',
      PGSERVICE: 'none',
    };
    const instance = await start({ env }).ready();
    expect(await register(instance)).toBe(201);
    expect(await start({ env, command: [process.execPath, 'bin/reelstream.js', 'migrate'] }).ended).toMatchObject({
      code: 0,
    });
  });

  test('warns once of a Redis and an object store that cannot be reached, and still becomes ready', async () => {
    const [redisPort, minioPort] = await freePorts(2);
    const env = {
      REDIS_URL: `redis://ada:engine-1843@127.0.0.1:${redisPort}`,
      MINIO_ENDPOINT: '127.0.0.1',
      MINIO_PORT: String(minioPort),
      MINIO_ACCESS_KEY: 'ada-key',
      MINIO_SECRET_KEY: 'engine-1844',
      LOG_LEVEL: 'debug',
    };
    const instance = await start({ env }).ready();
    await eventually(() => ['REDIS_URL', 'MINIO_ENDPOINT'].every((name) => instance.output.includes(name)), {
      what: 'both warnings are logged',
    });
    expect(await instance.stop()).toMatchObject({ code: 0 });
    const warnings = instance.output.split('\n').filter((line) => line.includes('"level":"warn"'));
    for (const name of ['REDIS_URL', 'MINIO_ENDPOINT'])
      expect(warnings.filter((line) => line.includes(name))).toHaveLength(1);
    expect(instance.output).not.toContain('engine-184');
  });

  test('lets the other commands use its database', async () => {
    const instance = await start().ready();
    const command = start({ command: [process.execPath, 'bin/reelstream.js', 'migrate'] });
    expect(await command.ended).toMatchObject({ code: 0, output: 'The tables are up to date.\n' });
    expect(await register(instance)).toBe(201);
  });
});
