import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../tests/support/database.ts';
import { eventually } from '../../tests/support/eventually.ts';
import { startTestApp } from '../../tests/support/httpApp.ts';
import { startSpanReceiver, type Span, type SpanReceiver } from '../../tests/support/spanReceiver.ts';
import { handleCommand } from '../core/commandHandler.ts';
import type { Decider } from '../core/decider.ts';
import { DomainError } from '../core/errors.ts';
import type { DomainEvent } from '../core/event.ts';
import { createPostgresEventStore } from '../eventStore/postgres/postgresEventStore.ts';
import { route, type Route } from '../http/route.ts';
import { createMetrics } from './metrics.ts';
import { observedEventStore } from './observedEventStore.ts';
import { startTracing, type Tracing } from './tracing.ts';

let receiver: SpanReceiver;
let tracing: Tracing;
let database: TestDatabase;

beforeAll(async () => {
  receiver = await startSpanReceiver();
  Object.assign(process.env, {
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    OTEL_BSP_SCHEDULE_DELAY: '20',
    OTEL_EXPORTER_OTLP_TIMEOUT: '10000',
  });
  tracing = await startTracing({ enabled: true, service: 'reelstream-test', clients: [] });
  database = await createTestDatabase();
});
afterAll(async () => {
  await tracing.close();
  await database[Symbol.asyncDispose]();
  await receiver[Symbol.asyncDispose]();
});

const named = (name: string): Promise<Span> =>
  eventually(() => receiver.spans.find((span) => span.name === name) as Span, {
    what: `the span ${name} arrives at the collector`,
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
    const common = { tag: 'Doors', auth: 'none', summary: '', description: '', responses: {} } as const;
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

    const request = await named('POST /doors/:door/knock');
    expect([request.traceId, request.parentSpanId, request.kind]).toEqual([traceId, 'b7ad6b7169203331', 2]);
    expect(request.attributes['http.response.status_code']).toBe(200);
    const append = await named('append door');
    expect([append.traceId, append.parentSpanId]).toEqual([traceId, request.spanId]);
    const refused = await named('GET /refused');
    expect([refused.status?.code ?? 0, refused.attributes['http.response.status_code']]).toEqual([0, 403]);
    const broken = await named('GET /broken');
    expect([broken.status?.code, broken.attributes['error.type']]).toEqual([2, '500']);
    expect(request.service).toBe('reelstream-test');

    const parents: (string | undefined)[] = [];
    for await (const { metadata } of inner.readStream('door-1')) parents.push(metadata.traceparent);
    expect(parents).toEqual([`00-${traceId}-${request.spanId}-01`]);
    expect(await metrics.registry.metrics()).toContain('reelstream_events_appended_total{category="door"} 1');
    await store.close();
  });
});

describe('work on what several requests caused', () => {
  interface Caller {
    readonly traceId: string;
    readonly spanId: string;
    readonly traceparent: string;
  }
  const [one, other, unsampled] = ['1', '2', '3'].map((digit, index) => {
    const [traceId, spanId] = [digit.repeat(32), digit.repeat(16)];
    return { traceId, spanId, traceparent: `00-${traceId}-${spanId}-0${index === 2 ? 0 : 1}` };
  }) as [Caller, Caller, Caller];
  const facts = { kind: 'consumer' } as const;
  const active = (): string | undefined => tracing.traceparent();

  test('is below the first sampled one, with links to the others', async () => {
    const traceparents = [undefined, 'nonsense', unsampled, one, other, one].map((each) =>
      typeof each === 'object' ? each.traceparent : each,
    );
    const result = tracing.continued('several', facts, () => traceparents, active);
    const span = await named('several');
    expect([span.traceId, span.parentSpanId, span.kind]).toEqual([one.traceId, one.spanId, 5]);
    expect(span.links).toMatchObject([{ traceId: other.traceId, spanId: other.spanId }]);
    expect(result).toBe(`00-${one.traceId}-${span.spanId}-01`);
  });

  test('has no span when no request is sampled, and is not below that of whoever began it', async () => {
    const unseen = (): string | undefined => tracing.continued('unseen', facts, () => [unsampled.traceparent], active);
    const seen = tracing.span('beginner', facts, () => [active(), unseen()]);
    const beginner = await named('beginner');
    expect(seen).toEqual([`00-${beginner.traceId}-${beginner.spanId}-01`, undefined]);
    expect(receiver.spans.filter(({ name }) => name === 'unseen')).toEqual([]);
  });

  const failures: [string, () => unknown][] = [
    [
      'at once',
      () => {
        throw new TypeError('secret');
      },
    ],
    ['later', () => Promise.reject(new TypeError('secret'))],
  ];
  test.each(failures)('marks its span when it fails %s, without the message', async (when, work) => {
    const failing = async (): Promise<unknown> => tracing.span(`fails ${when}`, facts, work);
    await expect(failing()).rejects.toThrow('secret');
    const span = await named(`fails ${when}`);
    expect([span.status?.code, span.attributes['error.type']]).toEqual([2, 'TypeError']);
    expect(JSON.stringify(span)).not.toContain('secret');
  });
});

test('a collector that is unavailable does not delay the end of the process', async () => {
  await receiver[Symbol.asyncDispose]();
  tracing.span('lost', { kind: 'internal' }, () => undefined);
  const started = performance.now();
  await tracing.close();
  expect(performance.now() - started).toBeLessThan(8_000);
});
