import { z } from 'zod';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Health, HealthReport } from './health.ts';
import { route, type BytesReply, type Route } from './route.ts';

const component = z.object({ status: z.enum(['up', 'down']), required: z.boolean(), latencyMs: z.number() }).catchall(z.unknown());
const healthBody = z
  .object({ success: z.boolean(), message: z.string(), timestamp: z.iso.datetime(), components: z.record(z.string(), component) })
  .meta({ id: 'Health' });
const plainBody = z.object({ success: z.boolean(), message: z.string() });

const common = { method: 'get', tag: 'System', auth: 'none', limit: 'none' } as const;

export interface SystemRouteParts {
  readonly health: Health;
  readonly metrics: Pick<Metrics, 'registry'>;
}

/** What every process answers, whatever its role. */
export function systemRoutes({ health, metrics }: SystemRouteParts): Route[] {
  return [
    route({
      ...common,
      path: '/health',
      operationId: 'getHealth',
      summary: 'Whether the parts that this process works with are up',
      responses: {
        200: { description: 'Everything that is needed is up', contentType: 'application/json', body: healthBody },
        503: { description: 'A part that it cannot work without is down', contentType: 'application/json', body: healthBody },
      },
      handle: async () => healthReply(await health.report()),
    }),
    route({
      ...common,
      path: '/health/live',
      operationId: 'getLiveness',
      summary: 'Whether the process runs (restart it if not)',
      responses: { 200: { description: 'It runs', contentType: 'application/json', body: plainBody } },
      handle: () => Promise.resolve(json(200, { success: true, message: 'alive' })),
    }),
    route({
      ...common,
      path: '/health/ready',
      operationId: 'getReadiness',
      summary: 'Whether the process wants requests',
      responses: {
        200: { description: 'It does', contentType: 'application/json', body: plainBody },
        503: { description: 'It is going down, or a part that it needs is down', contentType: 'application/json', body: plainBody },
      },
      handle: async () => {
        if (health.draining.aborted) return json(503, { success: false, message: 'going down' });
        const { healthy } = await health.report();
        return healthy ? json(200, { success: true, message: 'ready' }) : json(503, { success: false, message: 'not ready' });
      },
    }),
    route({
      ...common,
      path: '/metrics',
      operationId: 'getMetrics',
      summary: 'Prometheus metrics of this process',
      responses: { 200: { description: 'Prometheus text format', contentType: 'text/plain', body: z.string() } },
      handle: async () => ({ status: 200, bytes: Buffer.from(await metrics.registry.metrics()), contentType: metrics.registry.contentType }),
    }),
  ];
}

function healthReply({ healthy, timestamp, components }: HealthReport): BytesReply {
  return json(healthy ? 200 : 503, { success: healthy, message: healthy ? 'API is healthy!' : 'API is not healthy.', timestamp, components });
}

export function json(status: number, body: object): BytesReply {
  return { status, bytes: Buffer.from(JSON.stringify(body)), contentType: 'application/json; charset=utf-8', headers: { 'Cache-Control': 'no-store' } };
}
