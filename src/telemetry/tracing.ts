import type { ServerResponse } from 'node:http';
import type * as OpenTelemetry from '@opentelemetry/api';
import type * as OpenTelemetryCore from '@opentelemetry/core';
import { DomainError } from '../core/errors.ts';
import { withTimeout } from '../core/withTimeout.ts';
import type { TracedClient } from './instrumentations.ts';

export interface SpanFacts {
  readonly kind: 'server' | 'client' | 'producer' | 'consumer' | 'internal';
  /** Named by OpenTelemetry's semantic conventions, or else `reelstream.…`. Never personal data. */
  readonly attributes?: Readonly<Record<string, string | number | boolean>>;
}

/** The `traceparent` of events, requests or jobs. It is only called when spans are made. */
export type Traceparents = () => Iterable<string | undefined>;

/** Makes spans, and the `traceparent` with which events and other processes continue them. Does only the work while it is off. */
export interface Tracing {
  /** False: no spans are made. */
  readonly enabled: boolean;
  /**
   * Runs `work` in a span below the active one. An error marks the span as failed, except a `DomainError`, which only refuses a
   * request.
   */
  span<T>(name: string, facts: SpanFacts, work: () => T): T;
  /**
   * Runs `work` in a span that continues the traces of what it works on. The span is below the first of them that is sampled and has
   * links to the others. Where none is sampled, `work` runs without a span.
   */
  continued<T>(name: string, facts: SpanFacts, traceparents: Traceparents, work: () => T): T;
  /** Runs `work` in the span of a request, below that of the caller's `traceparent`. The span ends with the response. */
  request<T>(
    name: string,
    facts: SpanFacts,
    exchange: { readonly traceparent: string | undefined; readonly response: ServerResponse },
    work: () => T,
  ): T;
  /** The `traceparent` of the active span, if there is one. */
  traceparent(): string | undefined;
  /** Sends the remaining spans. Takes two seconds at most. */
  close(): Promise<void>;
}

const CLOSE_WITHIN_MS = 2_000;
/** As many links as the SDK keeps by default. */
const MOST_LINKS = 128;

export const noTracing: Tracing = {
  enabled: false,
  span: (_name, _facts, work) => work(),
  continued: (_name, _facts, _traceparents, work) => work(),
  request: (_name, _facts, _exchange, work) => work(),
  traceparent: () => undefined,
  close: () => Promise.resolve(),
};

export interface TracingOptions {
  /** When false, nothing of OpenTelemetry is loaded. */
  readonly enabled: boolean;
  /** The attribute `service.name`. */
  readonly service: string;
  /** Libraries whose calls become spans. */
  readonly clients: readonly TracedClient[];
}

/**
 * Starts the OpenTelemetry SDK, which reads the `OTEL_*` variables (endpoint, protocol, headers, sampling) by itself. To be called before
 * any module imports one of `clients`.
 */
export async function startTracing({ enabled, service, clients }: TracingOptions): Promise<Tracing> {
  if (!enabled) return noTracing;
  const [api, core, { NodeSDK }, { createInstrumentations }] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/core'),
    import('@opentelemetry/sdk-node'),
    import('./instrumentations.ts'),
  ]);
  const { instrumentations, loadClients } = await createInstrumentations(clients);
  // Only traces: Prometheus scrapes the metrics, and pino writes to standard output.
  const sdk = new NodeSDK({ serviceName: service, instrumentations, metricReaders: [], logRecordProcessors: [] });
  sdk.start();
  loadClients();
  // A collector that is not available must not delay the end of the process, and losing spans is not an error.
  const close = (): Promise<void> =>
    withTimeout(
      sdk.shutdown().catch(() => undefined),
      CLOSE_WITHIN_MS,
      () => undefined,
    );
  return { ...tracingOver(api, core), close };
}

/** Events hold a W3C `traceparent`, whatever `OTEL_PROPAGATORS` says. */
function tracingOver(
  { context, trace, defaultTextMapSetter, ROOT_CONTEXT, SpanKind, SpanStatusCode, TraceFlags }: typeof OpenTelemetry,
  { parseTraceParent, W3CTraceContextPropagator }: typeof OpenTelemetryCore,
): Omit<Tracing, 'close'> {
  const tracer = trace.getTracer('reelstream');
  const propagator = new W3CTraceContextPropagator();
  const kinds = {
    server: SpanKind.SERVER,
    client: SpanKind.CLIENT,
    producer: SpanKind.PRODUCER,
    consumer: SpanKind.CONSUMER,
    internal: SpanKind.INTERNAL,
  };

  function contextOf(traceparent: string): OpenTelemetry.SpanContext | undefined {
    const parsed = parseTraceParent(traceparent);
    return parsed === null ? undefined : { ...parsed, isRemote: true };
  }

  function sampled(traceparents: Iterable<string | undefined>): OpenTelemetry.SpanContext[] {
    const contexts: OpenTelemetry.SpanContext[] = [];
    for (const traceparent of new Set(traceparents)) {
      const found = traceparent === undefined ? undefined : contextOf(traceparent);
      if (found !== undefined && (found.traceFlags & TraceFlags.SAMPLED) !== 0) contexts.push(found);
      if (contexts.length > MOST_LINKS) break;
    }
    return contexts;
  }

  function start(
    name: string,
    { kind, attributes }: SpanFacts,
    around: OpenTelemetry.Context,
    links: readonly OpenTelemetry.SpanContext[] = [],
  ): OpenTelemetry.Span {
    const options = { kind: kinds[kind], links: links.map((each) => ({ context: each })) };
    return tracer.startSpan(name, { ...options, ...(attributes && { attributes: { ...attributes } }) }, around);
  }

  function fail(span: OpenTelemetry.Span, error: unknown): void {
    if (error instanceof DomainError) return;
    // Not the message: it may name what a user wrote.
    span.setStatus({ code: SpanStatusCode.ERROR }).setAttribute('error.type', errorType(error));
  }

  /** Ends the span when `work` is done. */
  function run<T>(span: OpenTelemetry.Span, around: OpenTelemetry.Context, work: () => T): T {
    try {
      const result = context.with(trace.setSpan(around, span), work);
      if (result instanceof Promise) {
        result.then(
          () => span.end(),
          (error: unknown) => (fail(span, error), span.end()),
        );
      } else span.end();
      return result;
    } catch (error) {
      fail(span, error);
      span.end();
      throw error;
    }
  }

  return {
    enabled: true,
    span(name, facts, work) {
      const around = context.active();
      return run(start(name, facts, around), around, work);
    },
    continued(name, facts, traceparents, work) {
      const [first, ...others] = sampled(traceparents());
      // Not below the active span: work that many wait for is often begun by the first who needs it.
      if (first === undefined) return context.with(ROOT_CONTEXT, work);
      return run(start(name, facts, trace.setSpanContext(ROOT_CONTEXT, first), others), ROOT_CONTEXT, work);
    },
    request(name, facts, { traceparent, response }, work) {
      const parent = traceparent === undefined ? undefined : contextOf(traceparent);
      const around = parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent);
      const span = start(name, facts, around);
      response.once('close', () => {
        if (response.headersSent) span.setAttribute('http.response.status_code', response.statusCode);
        if (response.headersSent && response.statusCode >= 500)
          span.setStatus({ code: SpanStatusCode.ERROR }).setAttribute('error.type', String(response.statusCode));
        span.end();
      });
      return context.with(trace.setSpan(around, span), work);
    },
    traceparent() {
      const carrier: { traceparent?: string } = {};
      propagator.inject(context.active(), carrier, defaultTextMapSetter);
      return carrier.traceparent;
    },
  };
}

function errorType(error: unknown): string {
  return error instanceof Error ? error.name : '_OTHER';
}
