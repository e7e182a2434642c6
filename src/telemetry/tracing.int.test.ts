import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createTestDatabase, type TestDatabase } from '../../tests/support/database.ts';
import { eventually } from '../../tests/support/eventually.ts';
import { startTestApp } from '../../tests/support/httpApp.ts';
import { handleCommand } from '../core/commandHandler.ts';
import type { Decider } from '../core/decider.ts';
import { DomainError } from '../core/errors.ts';
import type { DomainEvent } from '../core/event.ts';
import { createPostgresEventStore } from '../eventStore/postgres/postgresEventStore.ts';
import { route, type Route } from '../http/route.ts';
import { createMetrics } from './metrics.ts';
import { observedEventStore } from './observedEventStore.ts';
import { startTracing, type Tracing } from './tracing.ts';

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly status?: { code?: number };
  readonly attributes: { key: string; value: { stringValue?: string; intValue?: number } }[];
}

/** The spans that a collector receives (OTLP over HTTP, as JSON). */
const received: Span[] = [];
const services = new Set<string>();
let collector: Server;
let tracing: Tracing;
let database: TestDatabase;

beforeAll(async () => {
  collector = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { resourceSpans } = JSON.parse(Buffer.concat(chunks).toString()) as {
        resourceSpans: { resource: { attributes: Span['attributes'] }; scopeSpans: { spans: Span[] }[] }[];
      };
      for (const { resource, scopeSpans } of resourceSpans) {
        services.add(resource.attributes.find(({ key }) => key === 'service.name')?.value.stringValue ?? '');
        received.push(...scopeSpans.flatMap(({ spans }) => spans));
      }
      response.writeHead(200, { 'Content-Type': 'application/json' }).end('{}');
    });
  });
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
  Object.assign(process.env, {
    OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    OTEL_BSP_SCHEDULE_DELAY: '20',
    OTEL_EXPORTER_OTLP_TIMEOUT: '10000',
  });
  tracing = await startTracing({ endpoint, service: 'reelstream-test' });
  database = await createTestDatabase();
});
afterAll(async () => {
  await tracing.close();
  await database[Symbol.asyncDispose]();
  collector.closeAllConnections();
  await new Promise((resolve) => collector.close(resolve));
});

const knock: Decider<'knock', DomainEvent<'Knocked'>, number> = {
  initialState: 0,
  decide: () => [{ type: 'Knocked', data: {} }],
  evolve: (count) => count + 1,
};

describe('a request that is traced', () => {
  const traceId = '0af7651916cd43dd8448eb211c80319c';
  const traceparent = `00-${traceId}-b7ad6b7169203331-01`;

  test('continues the trace of its client in the command and in the event', async () => {
    const metrics = createMetrics();
    const inner = createPostgresEventStore({ pool: database.pool });
    const store = observedEventStore(inner, { tracing, metrics });
    const common = { tag: 'System', auth: 'none', summary: '', description: '', responses: {} } as const;
    const routes: Route[] = [
      route({
        ...common,
        method: 'post',
        path: '/doors/:door/knock',
        operationId: 'knock',
        handle: async ({ context }) => {
          await handleCommand(store, knock, 'door-1', 'knock', context);
          return { status: 200, message: 'knock, knock' };
        },
      }),
      route({
        ...common,
        method: 'get',
        path: '/refused',
        operationId: 'refused',
        handle: () => Promise.reject(new DomainError('forbidden', 'no', 'No.')),
      }),
      route({
        ...common,
        method: 'get',
        path: '/broken',
        operationId: 'broken',
        handle: () => Promise.reject(new Error('broken')),
      }),
    ];
    await using app = await startTestApp({ routes, tracing });
    await fetch(`${app.url}/doors/7/knock`, { method: 'POST', headers: { traceparent } });
    await fetch(`${app.url}/refused`);
    await fetch(`${app.url}/broken`);

    const named = (name: string): Promise<Span> =>
      eventually(() => received.find((span) => span.name === name) as Span, {
        what: `the span ${name} arrives at the collector`,
      });
    const request = await named('POST /doors/:door/knock');
    expect([request.traceId, request.parentSpanId, request.kind]).toEqual([traceId, 'b7ad6b7169203331', 2]);
    expect(request.attributes).toContainEqual({ key: 'http.response.status_code', value: { intValue: 200 } });
    const append = await named('append door');
    expect([append.traceId, append.parentSpanId]).toEqual([traceId, request.spanId]);
    expect((await named('GET /refused')).status?.code ?? 0).toBe(0);
    expect((await named('GET /broken')).status?.code).toBe(2);
    expect([...services]).toEqual(['reelstream-test']);

    const parents: (string | undefined)[] = [];
    for await (const { metadata } of inner.readStream('door-1')) parents.push(metadata.traceparent);
    expect(parents).toEqual([`00-${traceId}-${request.spanId}-01`]);
    expect(await metrics.registry.metrics()).toContain('reelstream_events_appended_total{category="door"} 1');
    await store.close();
  });

  test('does not delay the end of the process when the collector is unavailable', async () => {
    collector.closeAllConnections();
    await new Promise((resolve) => collector.close(resolve));
    await tracing.span('lost', { kind: 'internal' }, () => Promise.resolve());
    const started = performance.now();
    await tracing.close();
    expect(performance.now() - started).toBeLessThan(8_000);
  });
});
