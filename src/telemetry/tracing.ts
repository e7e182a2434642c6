import type * as OpenTelemetry from '@opentelemetry/api';
import { DomainError } from '../core/errors.ts';
import { withTimeout } from '../core/withTimeout.ts';

type Attributes = Readonly<Record<string, string | number | boolean>>;

export interface SpanFacts {
  readonly kind: 'server' | 'client' | 'consumer' | 'internal';
  /** The W3C `traceparent` of the caller. Default: the active span. */
  readonly parent?: string | undefined;
  readonly attributes?: Attributes;
}

export interface ActiveSpan {
  set(attributes: Attributes): void;
}

/** Makes spans, and the `traceparent` with which other processes continue them. Costs nothing while it is off. */
export interface Tracing {
  /** Runs `work` in a span. A rejection marks the span as failed, except a `DomainError`, which only refuses a request. */
  span<T>(name: string, facts: SpanFacts, work: (span: ActiveSpan) => Promise<T>): Promise<T>;
  /** The `traceparent` of the active span, if there is one. */
  traceparent(): string | undefined;
  /** Sends the remaining spans. Takes two seconds at most. */
  close(): Promise<void>;
}

/** Milliseconds. */
const CLOSE_WITHIN_MS = 2_000;

const idle: ActiveSpan = { set: () => undefined };

export const noTracing: Tracing = {
  span: (_name, _facts, work) => work(idle),
  traceparent: () => undefined,
  close: () => Promise.resolve(),
};

export interface TracingOptions {
  /** The value of `OTEL_EXPORTER_OTLP_ENDPOINT`. When undefined, OpenTelemetry is not loaded and nothing is traced. */
  readonly endpoint: string | undefined;
  /** The attribute `service.name`. */
  readonly service: string;
}

/** Starts the OpenTelemetry SDK. The SDK reads the `OTEL_*` variables (endpoint, protocol, headers, sampling) by itself. */
export async function startTracing({ endpoint, service }: TracingOptions): Promise<Tracing> {
  if (endpoint === undefined) return noTracing;
  const [api, { W3CTraceContextPropagator }, { NodeSDK }] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/core'),
    import('@opentelemetry/sdk-node'),
  ]);
  // Only traces: Prometheus scrapes the metrics, and pino writes to standard output.
  const sdk = new NodeSDK({ serviceName: service, metricReaders: [], logRecordProcessors: [] });
  sdk.start();
  // A collector that is not available must not delay the end of the process, and losing spans is not an error.
  const close = (): Promise<void> =>
    withTimeout(
      sdk.shutdown().catch(() => undefined),
      CLOSE_WITHIN_MS,
      () => undefined,
    );
  return { ...tracingOver(api, new W3CTraceContextPropagator()), close };
}

/** Events hold a W3C `traceparent`, whatever `OTEL_PROPAGATORS` says, so the propagator is given. */
function tracingOver(api: typeof OpenTelemetry, propagator: OpenTelemetry.TextMapPropagator): Omit<Tracing, 'close'> {
  const tracer = api.trace.getTracer('reelstream');
  return {
    span(name, { kind, parent, attributes }, work) {
      const around = propagator.extract(api.context.active(), { traceparent: parent }, api.defaultTextMapGetter);
      const options = { kind: kindOf(api, kind), ...(attributes && { attributes: { ...attributes } }) };
      return tracer.startActiveSpan(name, options, around, async (span) => {
        try {
          return await work({ set: (more) => span.setAttributes({ ...more }) });
        } catch (error) {
          if (!(error instanceof DomainError)) span.setStatus({ code: api.SpanStatusCode.ERROR });
          throw error;
        } finally {
          span.end();
        }
      });
    },
    traceparent() {
      const carrier: { traceparent?: string } = {};
      propagator.inject(api.context.active(), carrier, api.defaultTextMapSetter);
      return carrier.traceparent;
    },
  };
}

function kindOf(api: typeof OpenTelemetry, kind: SpanFacts['kind']): OpenTelemetry.SpanKind {
  const { SERVER, CLIENT, CONSUMER, INTERNAL } = api.SpanKind;
  return { server: SERVER, client: CLIENT, consumer: CONSUMER, internal: INTERNAL }[kind];
}
