import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { eventually } from './support/eventually.ts';
import { Instance, newPlace, type Place } from './support/instance.ts';
import { downIn, readHealth, readHealthWithout } from './support/readHealth.ts';

jest.setTimeout(180_000);

/** Milliseconds in which /health must answer, whatever hangs. */
const LONGEST_MS = 2_000;

let place: Place;
let parts: AsyncDisposableStack;
beforeEach(async () => {
  place = await newPlace();
  parts = new AsyncDisposableStack();
  parts.use(place);
});
afterEach(() => parts.disposeAsync());

function start(env: Record<string, string> = {}): Instance {
  return parts.use(new Instance({ ...place, env }));
}

/** Accepts connections and never answers: like a server that hangs, or a port behind a firewall that has lost it. */
async function blackHole(): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  parts.defer(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  return (server.address() as AddressInfo).port;
}

async function everythingIsUp(running: Instance): Promise<void> {
  await eventually(async () => downIn(await readHealth(running.url)), {
    within: 60_000,
    what: 'every part is up',
    holds: (down) => down.length === 0,
  });
}

/** Sends a signal to the PostgreSQL of a process: to its postmaster, and to each of its backends. */
async function signalPostgres(running: Instance, signal: 'SIGSTOP' | 'SIGCONT'): Promise<void> {
  const { postmaster } = await running.helpers();
  const children = readdirSync(`/proc/${postmaster}/task`).flatMap((task) =>
    readFileSync(`/proc/${postmaster}/task/${task}/children`, 'utf8').trim().split(' '),
  );
  for (const pid of [postmaster, ...children.map(Number)]) process.kill(pid, signal);
}

/** The EventStoreDB double in a process of its own. Its first line is its port. */
async function startDouble(): Promise<{ kill(signal: NodeJS.Signals): void; port: number }> {
  const double = spawn(process.execPath, ['tests/support/eventStoreDbDouble/process.ts'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  parts.defer(async () => {
    const ended = once(double, 'exit');
    double.kill('SIGKILL');
    await ended;
  });
  const [line] = (await once(double.stdout, 'data')) as [Buffer];
  return { kill: (signal) => void double.kill(signal), port: Number(String(line)) };
}

test('a PostgreSQL or EventStoreDB that hangs is down in /health within two seconds, and up again when it goes on', async () => {
  const double = await startDouble();
  const running = await start({ EVENTSTORE_URL: `esdb://127.0.0.1:${double.port}?tls=false` }).ready();

  double.kill('SIGSTOP');
  const withoutLog = await readHealthWithout(running.url, ['eventStore']);
  expect([withoutLog.status, downIn(withoutLog)]).toEqual([503, ['eventStore']]);
  expect(withoutLog.took).toBeLessThan(LONGEST_MS);
  double.kill('SIGCONT');
  await everythingIsUp(running);

  await signalPostgres(running, 'SIGSTOP');
  try {
    const health = await readHealthWithout(running.url, ['postgres']);
    expect(health.status).toBe(503);
    expect(downIn(health)).not.toContain('eventStore');
    expect(downIn(health)).not.toContain('objectStore');
    expect(health.took).toBeLessThan(LONGEST_MS);
    expect((await fetch(`${running.url}/health/live`)).status).toBe(200);
    // A scrape is answered too, and says the same.
    const metrics = await (await fetch(`${running.url}/metrics`)).text();
    expect(metrics).toContain('reelstream_component_up{component="postgres"} 0');
    expect(metrics).toContain('reelstream_component_up{component="objectStore"} 1');
  } finally {
    await signalPostgres(running, 'SIGCONT');
  }
  await everythingIsUp(running);
});

test('a process that finds only ports that never answer is alive, is not ready, and says within two seconds what is down', async () => {
  const [redis, minio, kafka, eventStore] = [
    await blackHole(),
    await blackHole(),
    await blackHole(),
    await blackHole(),
  ];
  const running = start({
    EVENTSTORE_URL: `esdb://127.0.0.1:${eventStore}?tls=false`,
    REDIS_URL: `redis://127.0.0.1:${redis}`,
    MINIO_ENDPOINT: '127.0.0.1',
    MINIO_PORT: String(minio),
    MINIO_ACCESS_KEY: 'reelstream',
    MINIO_SECRET_KEY: 'reelstream-secret',
    KAFKA_BROKERS: `127.0.0.1:${kafka}`,
  });
  await eventually(async () => Object.keys((await readHealth(running.url)).components).length > 0, {
    within: 120_000,
    what: 'the process has started',
  });
  const down = ['eventStore', 'kafka media', 'kafka projections', 'kafka relay', 'objectStore', 'redis'];
  const health = await readHealthWithout(running.url, down);
  expect(health.status).toBe(503);
  expect(health.components['postgres']?.status).toBe('up');
  expect(health.took).toBeLessThan(LONGEST_MS);
  expect((await fetch(`${running.url}/health/live`)).status).toBe(200);
  // A stop would wait for each of the four.
  await running.stop('SIGKILL');
});
