import { existsSync, readdirSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { login, newPlace, register } from '../support/instance.ts';
import { eventually } from '../support/eventually.ts';
import { asRoot, isRoot, refusal, useInstances } from '../support/useInstances.ts';

if (!isRoot) process.stderr.write('SKIPPED: starts as root, because these tests do not run as root\n');

const { place, start } = useInstances({ used: true });

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
      () => existsSync(place().dataDir) && readdirSync(place().dataDir).some((name) => name.startsWith('lock-')),
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
