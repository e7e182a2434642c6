import { z } from 'zod';
import type { Metrics } from '../../telemetry/metrics.ts';
import { DomainError } from '../../core/errors.ts';
import { exampleValues } from '../documents/exampleValues.ts';
import type { Health, HealthReport } from './health.ts';
import type { MonitoringAccess } from './monitoringAccess.ts';
import { route, SYSTEM_TAG, type BytesReply, type Route } from '../route.ts';

const component = z
  .object({
    status: z
      .enum(['up', 'down'])
      .meta({
        description:
          'A projection that fails to apply events, or has parked some, is `down`; one that is rebuilt is `up`.',
        examples: ['up'],
      }),
    required: z.boolean().meta({ description: 'Whether this process cannot work without it.', examples: [true] }),
    latencyMs: z
      .number()
      .min(0)
      .meta({ description: 'How long it took to answer, in milliseconds.', examples: [1.2] }),
  })
  .catchall(z.unknown());
const healthBody = z
  .object({
    success: z.boolean().meta({ examples: [true] }),
    message: z.string().meta({ examples: ['API is healthy!'] }),
    timestamp: z.iso.datetime().meta({ examples: [exampleValues.created] }),
    components: z
      .record(z.string(), component)
      .optional()
      .meta({
        description: 'In production, only for requests from this machine or with the monitoring token.',
        examples: [{ database: { status: 'up', required: true, latencyMs: 1.2 } }],
      }),
  })
  .meta({ id: 'Health' });
const plainBody = z.object({
  success: z.boolean().meta({ examples: [true] }),
  message: z.string().meta({ examples: ['ready'] }),
});

export const systemTag = { System: 'The state of the server, and this document.' };

const common = { method: 'get', tag: SYSTEM_TAG, auth: 'none', limit: 'none' } as const;

export interface SystemRouteParts {
  readonly health: Health;
  readonly metrics: Pick<Metrics, 'registry'>;
  /** Who may read the metrics and the details of `/health`. */
  readonly monitoring: MonitoringAccess;
}

/** The routes of every process, whatever its role. */
export function systemRoutes({ health, metrics, monitoring }: SystemRouteParts): Route[] {
  return [
    route({
      ...common,
      path: '/health',
      operationId: 'getHealth',
      summary: 'Get the health of each part',
      description:
        'Says for each part that this process works with (database, event store, Kafka, …) whether it is up.',
      responses: {
        200: { description: 'All required parts are up.', contentType: 'application/json', body: healthBody },
        503: { description: 'A required part is down.', contentType: 'application/json', body: healthBody },
      },
      handle: async ({ raw }) => healthReply(await health.report(), monitoring(raw)),
    }),
    route({
      ...common,
      path: '/health/live',
      operationId: 'getLiveness',
      summary: 'Check that the process runs',
      description: 'For a liveness probe: restart the process when there is no answer. It checks no other part.',
      responses: { 200: { description: 'The process runs.', contentType: 'application/json', body: plainBody } },
      handle: () => Promise.resolve(json(200, { success: true, message: 'alive' })),
    }),
    route({
      ...common,
      path: '/health/ready',
      operationId: 'getReadiness',
      summary: 'Check that the process takes requests',
      description: 'For readiness probes and load balancers: send requests elsewhere while the status is not 200.',
      responses: {
        200: { description: 'The process takes requests.', contentType: 'application/json', body: plainBody },
        503: {
          description: 'The process is stopping, or a required part is down.',
          contentType: 'application/json',
          body: plainBody,
        },
      },
      handle: async () => {
        if (health.draining.aborted) return json(503, { success: false, message: 'stopping' });
        const { healthy } = await health.report();
        return healthy
          ? json(200, { success: true, message: 'ready' })
          : json(503, { success: false, message: 'not ready' });
      },
    }),
    route({
      ...common,
      path: '/metrics',
      operationId: 'getMetrics',
      summary: 'Get metrics',
      description: 'The metrics of this process, for Prometheus.',
      responses: {
        200: {
          description: 'Prometheus text format.',
          contentType: 'text/plain',
          body: z.string().meta({ examples: ['api_requests_total{method="GET",status_code="200"} 12'] }),
        },
        401: {
          description:
            'In production: the request is not from this machine and has no monitoring token (`monitoring_token_required`).',
        },
      },
      handle: async ({ raw }) => {
        if (!monitoring(raw)) {
          throw new DomainError(
            'unauthenticated',
            'monitoring_token_required',
            'From another machine, send MONITORING_TOKEN as "Authorization: Bearer …".',
          );
        }
        return {
          status: 200,
          bytes: Buffer.from(await metrics.registry.metrics()),
          contentType: metrics.registry.contentType,
        };
      },
    }),
  ];
}

function healthReply({ healthy, timestamp, components }: HealthReport, detailed: boolean): BytesReply {
  const message = healthy ? 'API is healthy!' : 'API is not healthy.';
  return json(healthy ? 200 : 503, { success: healthy, message, timestamp, ...(detailed && { components }) });
}

export function json(status: number, body: object): BytesReply {
  return {
    status,
    bytes: Buffer.from(JSON.stringify(body)),
    contentType: 'application/json; charset=utf-8',
    headers: { 'Cache-Control': 'no-store' },
  };
}
