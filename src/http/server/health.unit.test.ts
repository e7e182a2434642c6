import { afterEach, expect, test } from '@jest/globals';
import { collectingLog } from '../../../tests/support/httpApp.ts';
import { createMetrics } from '../../telemetry/metrics.ts';
import { createHealth, type HealthCheck } from './health.ts';
import { createOpsApp } from '../httpApp.ts';
import { startHttpServer, type HttpServer } from './httpServer.ts';

interface Report {
  readonly success: boolean;
  readonly message: string;
  readonly timestamp: string;
  readonly components: Record<string, { status: string; latencyMs: number; required: boolean }>;
}

let server: HttpServer | undefined;
afterEach(() => server?.close(0));

async function opsServer(
  checks: HealthCheck[],
  keepMs = 0,
): Promise<{ url: string; drain: AbortController; lines: Record<string, unknown>[] }> {
  const { logger, lines } = collectingLog();
  const drain = new AbortController();
  const health = createHealth({ checks, logger, draining: drain.signal, timeoutMs: 50, keepMs });
  server = await startHttpServer(createOpsApp({ logger, health, metrics: createMetrics() }), {
    port: 0,
    host: '127.0.0.1',
  });
  return { url: `http://127.0.0.1:${server.port}`, drain, lines };
}

async function read(url: string): Promise<{ status: number; body: Report }> {
  const response = await fetch(url);
  return { status: response.status, body: (await response.json()) as Report };
}

const up: HealthCheck = { name: 'database', required: true, check: () => Promise.resolve({ lag: 3 }) };

test('a process whose parts are up is healthy and shows the details of each part', async () => {
  const { url } = await opsServer([up, { name: 'cache', required: false, check: () => Promise.resolve() }]);
  const { status, body } = await read(`${url}/health`);
  expect([status, body.success, body.message]).toEqual([200, true, 'API is healthy!']);
  expect(new Date(body.timestamp).toISOString()).toBe(body.timestamp);
  expect(body.components).toEqual({
    database: { status: 'up', required: true, latencyMs: expect.any(Number), lag: 3 },
    cache: { status: 'up', required: false, latencyMs: expect.any(Number) },
  });
  expect((await read(`${url}/health/ready`)).status).toBe(200);
});

test('a process stays healthy when a part that is not required is down', async () => {
  const { url } = await opsServer([
    up,
    { name: 'cache', required: false, check: () => Promise.reject(new Error('redis://secret@host is away')) },
  ]);
  const { status, body } = await read(`${url}/health`);
  expect([status, body.components['cache']?.status]).toEqual([200, 'down']);
  expect(JSON.stringify(body)).not.toContain('secret');
});

test('a process is alive but not healthy when a required part hangs, and answers within the time limit of a check', async () => {
  const { url } = await opsServer([{ name: 'database', required: true, check: () => new Promise(() => undefined) }]);
  const started = performance.now();
  const { status, body } = await read(`${url}/health`);
  // The time limit is 50 ms here; the check itself never ends.
  expect(performance.now() - started).toBeLessThan(10_000);
  expect([status, body.success, body.components['database']?.status]).toEqual([503, false, 'down']);
  expect((await read(`${url}/health/ready`)).status).toBe(503);
  expect((await read(`${url}/health/live`)).status).toBe(200);
});

test('requests at the same time share one check, and later ones get its result for a while', async () => {
  let checks = 0;
  const { url } = await opsServer(
    [{ name: 'database', required: true, check: () => Promise.resolve(void checks++) }],
    60_000,
  );
  await Promise.all(Array.from({ length: 20 }, () => read(`${url}/health`)));
  await read(`${url}/health/ready`);
  expect(checks).toBe(1);
});

test('a part that goes down and comes back is logged once each time', async () => {
  let away = false;
  const { url, lines } = await opsServer([
    { name: 'database', required: true, check: () => (away ? Promise.reject(new Error('gone')) : Promise.resolve()) },
  ]);
  for (const state of [false, true, true, true, false, false]) {
    away = state;
    await read(`${url}/health`);
  }
  expect(lines.filter(({ component }) => component === 'database').map(({ msg }) => msg)).toEqual([
    'component is down',
    'component is up again',
  ]);
});

test('a stopping process is not ready for requests', async () => {
  const { url, drain } = await opsServer([up]);
  drain.abort();
  expect((await read(`${url}/health/ready`)).status).toBe(503);
  expect((await read(`${url}/health`)).status).toBe(200);
});

test('a process without an API serves its metrics and no other addresses', async () => {
  const { url } = await opsServer([up]);
  expect(await (await fetch(`${url}/metrics`)).text()).toContain('process_cpu_seconds_total');
  expect((await fetch(`${url}/api/v1/video`)).status).toBe(404);
});
