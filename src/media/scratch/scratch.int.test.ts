import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createScratch, type Scratch } from './scratch.ts';

let root: string;
let scratch: Scratch | undefined;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'scratch-'));
});
afterEach(async () => {
  await scratch?.close();
  scratch = undefined;
  await rm(root, { recursive: true });
});

async function left(name: string, ageMs = 0): Promise<void> {
  await mkdir(join(root, name, 'work-1'), { recursive: true });
  await writeFile(join(root, name, 'work-1', 'file'), 'x');
  const time = new Date(Date.now() - ageMs);
  await utimes(join(root, name), time, time);
}

/** The id of a process that has just ended. */
async function deadProcess(): Promise<number> {
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'exit');
  return child.pid!;
}

test('a folder exists until it is disposed, and all folders until the scratch is closed', async () => {
  scratch = await createScratch(root);
  const kept = await scratch.make();
  {
    await using folder = await scratch.make();
    expect((await stat(folder.path)).mode & 0o077).toBe(0);
    await writeFile(join(folder.path, 'file'), 'x');
    expect(folder.path).not.toBe(kept.path);
  }
  expect(await readdir(join(kept.path, '..'))).toHaveLength(1);
  await scratch.close();
  expect(await readdir(root)).toEqual([]);
});

test('a process whose folder was removed while it was stopped makes it again', async () => {
  scratch = await createScratch(root);
  await rm(join(root, (await readdir(root))[0]!), { recursive: true });
  await using folder = await scratch.make();
  await writeFile(join(folder.path, 'file'), 'x');
});

test('a start removes folders of dead processes, and those not touched for a minute; not those in use, nor, for an hour, those of a running process', async () => {
  await left(`${hostname()}.${await deadProcess()}.a`);
  await left(`${hostname()}.${process.pid}.b`, 120_000);
  await left('otherhost.1.c', 120_000);
  await left('otherhost.1.d', 10_000);
  await left(`${hostname()}.${process.ppid}.e`);
  await left(`${hostname()}.${process.ppid}.f`, 120_000);
  await left(`${hostname()}.${process.ppid}.g`, 2 * 3_600_000);
  scratch = await createScratch(root);
  const names = await readdir(root);
  expect(names.filter((name) => /\.[a-g]$/.test(name)).sort()).toEqual(
    [`${hostname()}.${process.ppid}.e`, `${hostname()}.${process.ppid}.f`, 'otherhost.1.d'].sort(),
  );
});

test.each([
  ['by a full name', (name: string) => join(root, name, 'work-1', 'file')],
  ['by a name below the root, as the sandbox gives it', (name: string) => join(name, 'work-1', 'file')],
])('a program that a dead process left running on a file in its folder is killed: %s', async (_what, nameOf) => {
  const name = `${hostname()}.${await deadProcess()}.f`;
  await left(name);
  const orphan = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', nameOf(name)], { cwd: root });
  await once(orphan, 'spawn');
  const ended = once(orphan, 'exit');
  scratch = await createScratch(root);
  expect(await ended).toEqual([null, 'SIGKILL']);
});
