import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { createFakeLog } from '../../tests/support/fakeLog.ts';
import type { ProjectionState } from '../core/projectionProgress.ts';
import { createLogDistance } from './logDistance.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { metricsDocument } from './metricsDocument.ts';
import { metricTable, processMetrics, type MetricRow } from './metricTable.ts';
import { showParkedEvents } from './parkedEvents.ts';
import { showProjectionLag } from './projectionLag.ts';

const rows = Object.entries<MetricRow>(metricTable);
const linesOf = async ({ registry }: Pick<Metrics, 'registry'>): Promise<string[]> =>
  (await registry.metrics()).split('\n');

describe('the table of metrics', () => {
  test('is what docs/metrics.md shows: npm run -s reelstream -- metrics > docs/metrics.md', () => {
    expect(readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8')).toBe(metricsDocument());
  });

  test('names every metric of Node.js that is registered', () => {
    const { registry } = createMetrics();
    const others = registry.getMetricsAsArray().map(({ name }) => name);
    expect(others.filter((name) => !(name in metricTable) && !(name in processMetrics))).toEqual([]);
  });

  test.each(rows)('%s is named by the conventions of Prometheus', (name, { kind, help, buckets }) => {
    expect(name).toMatch(/^[a-z][a-z0-9_]*$/);
    expect(name.endsWith('_total')).toBe(kind === 'counter');
    expect(help).not.toMatch(/\.$/);
    expect(buckets !== undefined).toBe(kind === 'histogram');
    if (kind === 'histogram') expect(name).toMatch(/_(seconds|events|ratio)$/);
    expect(buckets ?? []).toEqual((buckets ?? []).toSorted((a, b) => a - b));
  });
});

describe('requests', () => {
  const answer = { method: 'GET', route: '/api/v1/video', status: 200, seconds: 0.05 };

  test('have the names and help texts of the original server, and more beside them', async () => {
    const metrics = createMetrics();
    metrics.request(answer);
    metrics.request({ ...answer, seconds: 0.15 });
    metrics.request({ ...answer, method: 'POST', status: 201, seconds: 7 });
    const lines = await linesOf(metrics);
    for (const line of [
      '# HELP api_requests_total Total number of API requests',
      '# TYPE api_requests_total counter',
      'api_requests_total{method="GET",status_code="200"} 2',
      'api_requests_total{method="POST",status_code="201"} 1',
      '# HELP api_response_duration_seconds API response duration in seconds',
      '# TYPE api_response_duration_seconds histogram',
      'api_response_duration_seconds_bucket{le="0.1"} 1',
      'api_response_duration_seconds_bucket{le="0.2"} 2',
      'api_response_duration_seconds_bucket{le="0.5"} 2',
      'api_response_duration_seconds_bucket{le="1"} 2',
      'api_response_duration_seconds_bucket{le="2"} 2',
      'api_response_duration_seconds_bucket{le="5"} 2',
      'api_response_duration_seconds_bucket{le="+Inf"} 3',
      'api_response_duration_seconds_count 3',
      'reelstream_http_request_duration_seconds_count{method="GET",route="/api/v1/video",status="2xx"} 2',
    ]) {
      expect(lines).toContain(line);
    }
  });

  test('make no series of their own for each method that a client invents', async () => {
    const metrics = createMetrics();
    for (const method of ['BREW', 'WHEN']) metrics.request({ ...answer, method, status: 405 });
    const counts = (await linesOf(metrics)).filter((line) => /^reelstream_http.*_count/.test(line));
    expect(counts).toEqual([
      'reelstream_http_request_duration_seconds_count{method="OTHER",route="/api/v1/video",status="4xx"} 2',
    ]);
  });
});

describe('values that are read at each scrape', () => {
  test('of several parts are shown together, and those that have gone are not', async () => {
    const metrics = createMetrics();
    let sockets = { main: 3 } as Record<string, number>;
    for (const feed of ['events', 'log'])
      metrics.showAtScrape(['reelstream_socket_subscribers'], (show) =>
        show('reelstream_socket_subscribers', { feed }, 1),
      );
    metrics.showAtScrape(['reelstream_sockets'], (show) => {
      for (const [port, open] of Object.entries(sockets)) show('reelstream_sockets', { port }, open);
    });
    const shown = async (): Promise<string[]> =>
      (await linesOf(metrics)).filter((line) => line.startsWith('reelstream_socket'));
    const subscribers = ['events', 'log'].map((feed) => `reelstream_socket_subscribers{feed="${feed}"} 1`);
    expect(await shown()).toEqual([...subscribers, 'reelstream_sockets{port="main"} 3']);
    sockets = { legacy: 2 };
    expect(await shown()).toEqual([...subscribers, 'reelstream_sockets{port="legacy"} 2']);
  });

  test('of two metrics come from one read, and a read that hangs is not begun again', async () => {
    const metrics = createMetrics();
    let reads = 0;
    metrics.showAtScrape(['reelstream_relay_lag_events', 'reelstream_relay_lag_seconds'], async (show) => {
      reads++;
      show('reelstream_relay_lag_events', {}, 7);
      await new Promise(() => undefined);
    });
    expect(await linesOf(metrics)).toContain('reelstream_relay_lag_events 7');
    await metrics.registry.metrics();
    expect(reads).toBe(1);
  });
});

describe('the lag of projections', () => {
  const noon = Date.parse('2025-03-01T12:00:00.000Z');
  const projections = [
    { name: 'videos', handles: ['A'] },
    { name: 'likes', handles: ['B'] },
  ];
  const lagOf = async (options: { head?: () => Promise<bigint>; numbered?: boolean }): Promise<string[]> => {
    const metrics = createMetrics();
    const positions: Record<string, bigint> = { videos: 40n, likes: 43n };
    // Events of type A at the positions 41 and 42.
    const store = createFakeLog([41n, 42n].map((position) => ({ position, type: 'A', time: new Date(noon) })));
    showProjectionLag({
      metrics,
      store: { head: options.head ?? (() => Promise.resolve(42n)) },
      distance: createLogDistance({ store, numbered: options.numbered ?? true }),
      progress: { position: (name) => positions[name] ?? 0n, state: (): ProjectionState => 'current' },
      projections,
    });
    return linesOf(metrics);
  };

  test.each([true, false])(
    'is the distance of each of them to the head of the log (numbered: %p)',
    async (numbered) => {
      const lines = await lagOf({ numbered });
      expect(lines).toContain('reelstream_projection_lag_events{projection="videos"} 2');
      expect(lines).toContain('reelstream_projection_lag_events{projection="likes"} 0');
      expect(lines).toContain('reelstream_projection_lag_seconds{projection="likes"} 0');
      const age = Number(/lag_seconds\{projection="videos"\} (\S+)/.exec(lines.join('\n'))?.[1]);
      expect(age).toBeGreaterThan((Date.now() - noon) / 1_000 - 60);
    },
  );

  test.each([
    ['is unavailable', () => Promise.reject(new Error('unavailable'))],
    ['hangs', () => new Promise<bigint>(() => undefined)],
  ])('is not shown while the log %s; everything else is', async (_what, head) => {
    const text = (await lagOf({ head })).join('\n');
    expect(text).not.toContain('reelstream_projection_lag_events{');
    expect(text).toContain('process_cpu_seconds_total');
  });
});

describe('parked events', () => {
  const parkedOf = async (count: (consumer: string) => Promise<number>): Promise<string[]> => {
    const metrics = createMetrics();
    showParkedEvents({ metrics, consumers: ['videos', 'likes', 'media_process_manager'], count });
    return (await linesOf(metrics)).filter((line) => line.startsWith('reelstream_parked_events{'));
  };
  const counted = ['reelstream_parked_events{consumer="videos"} 2'];

  test('are shown for each consumer of the process', async () => {
    expect(await parkedOf((consumer) => Promise.resolve(consumer === 'videos' ? 2 : 0))).toEqual([
      ...counted,
      'reelstream_parked_events{consumer="likes"} 0',
      'reelstream_parked_events{consumer="media_process_manager"} 0',
    ]);
  });

  test.each([
    ['is unavailable', () => Promise.reject(new Error('unavailable'))],
    ['hangs', () => new Promise<number>(() => undefined)],
  ])('are not shown while the database %s', async (_what, fail) => {
    expect(await parkedOf((consumer) => (consumer === 'videos' ? Promise.resolve(2) : fail()))).toEqual(counted);
  });
});
