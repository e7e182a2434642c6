import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import { createMetrics } from './metrics.ts';
import { startMetricsExport } from './metricsExport.ts';

interface Point {
  readonly asDouble?: number;
  readonly count?: number;
  readonly sum?: number;
  readonly bucketCounts?: number[];
  readonly explicitBounds?: number[];
  readonly attributes: { key: string; value: { stringValue?: string; intValue?: number } }[];
}

interface Sent {
  readonly resourceMetrics: {
    resource: { attributes: Point['attributes'] };
    scopeMetrics: {
      metrics: {
        name: string;
        description: string;
        sum?: { isMonotonic: boolean; aggregationTemporality: number; dataPoints: Point[] };
        gauge?: { dataPoints: Point[] };
        histogram?: { aggregationTemporality: number; dataPoints: Point[] };
      }[];
    }[];
  }[];
}

test('the metrics of the registry are sent as OTLP, with their names, labels and buckets, and once more at the end', async () => {
  const bodies: Sent[] = [];
  const collector = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (request.url === '/v1/metrics') bodies.push(JSON.parse(Buffer.concat(chunks).toString()) as Sent);
      response.writeHead(200, { 'Content-Type': 'application/json' }).end('{}');
    });
  });
  collector.listen(0, '127.0.0.1');
  await once(collector, 'listening');
  process.env['OTEL_EXPORTER_OTLP_PROTOCOL'] = 'http/json';
  process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
  const metrics = createMetrics();
  const request = { method: 'GET', route: '/api/v1/video', status: 200 };
  metrics.request({ ...request, seconds: 0.15 });
  metrics.request({ ...request, seconds: 0.3 });
  metrics.request({ ...request, seconds: 7 });
  metrics.showAtScrape(['reelstream_sockets'], (show) => show('reelstream_sockets', { port: 'main' }, 3));
  const sending = await startMetricsExport({ metrics, service: 'reelstream-test', everyMs: 60_000 });
  await sending.close();
  collector.closeAllConnections();
  collector.close();

  const [{ resource, scopeMetrics }] = bodies.at(-1)!.resourceMetrics as [Sent['resourceMetrics'][number]];
  expect(resource.attributes).toContainEqual({ key: 'service.name', value: { stringValue: 'reelstream-test' } });
  const named = (name: string) => scopeMetrics.flatMap(({ metrics: all }) => all).find((each) => each.name === name)!;
  const requests = named('api_requests_total');
  expect(requests.description).toBe('Total number of API requests');
  expect(requests.sum).toMatchObject({ isMonotonic: true, aggregationTemporality: 2 });
  expect(requests.sum!.dataPoints.map(({ asDouble }) => asDouble)).toEqual([3]);
  expect(requests.sum!.dataPoints[0]!.attributes).toContainEqual({ key: 'method', value: { stringValue: 'GET' } });
  expect(named('reelstream_sockets').gauge!.dataPoints).toMatchObject([
    { asDouble: 3, attributes: [{ key: 'port', value: { stringValue: 'main' } }] },
  ]);
  expect(named('api_response_duration_seconds').histogram!.dataPoints).toMatchObject([
    { count: 3, sum: 7.45, explicitBounds: [0.1, 0.2, 0.5, 1, 2, 5], bucketCounts: [0, 1, 1, 0, 0, 0, 1] },
  ]);
});
