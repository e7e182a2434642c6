import { createRequire, syncBuiltinESMExports } from 'node:module';
import type { Instrumentation } from '@opentelemetry/instrumentation';

/** A library whose calls OpenTelemetry's own instrumentation turns into spans. */
export type TracedClient = 'pg' | 'ioredis' | 'grpc' | 'http';

interface Instrumentations {
  readonly instrumentations: Instrumentation[];
  /** To be called when the SDK has started: loads the libraries, with the instrumentations in them. */
  loadClients(): void;
}

const modules: Readonly<Record<TracedClient, string>> = {
  pg: 'pg',
  ioredis: 'ioredis',
  grpc: '@grpc/grpc-js',
  http: 'node:http',
};

/**
 * Every span of a client is below one of ours: what a process does by itself, such as polls and subscriptions, makes no traces of its
 * own. Spans have statements and the names of commands, never values.
 */
const creators: Readonly<Record<TracedClient, () => Promise<Instrumentation>>> = {
  pg: async () => {
    const { PgInstrumentation } = await import('@opentelemetry/instrumentation-pg');
    return new PgInstrumentation({ requireParentSpan: true, ignoreConnectSpans: true });
  },
  ioredis: async () => {
    const { IORedisInstrumentation } = await import('@opentelemetry/instrumentation-ioredis');
    // Keys hold addresses of clients.
    return new IORedisInstrumentation({ requireParentSpan: true, dbStatementSerializer: (command) => command });
  },
  grpc: async () => {
    const { GrpcInstrumentation } = await import('@opentelemetry/instrumentation-grpc');
    // It has no `requireParentSpan`, and subscriptions read on their own. Appends are always below a span.
    return new GrpcInstrumentation({ ignoreGrpcMethods: [(method: string) => !/append/i.test(method)] });
  },
  http: async () => {
    const { HttpInstrumentation } = await import('@opentelemetry/instrumentation-http');
    // The spans of our own requests are made where their routes are known (`handleRoute.ts`).
    return new HttpInstrumentation({
      disableIncomingRequestInstrumentation: true,
      requireParentforOutgoingSpans: true,
    });
  },
};

/**
 * The instrumentations patch what `require` loads. All these libraries are CommonJS, and an `import` of such a library gets the module
 * that `require` has loaded. So they are loaded here, before anyone imports them, and no hook has to look at every import
 * (docs/adr/0070-traces-follow-events.md).
 */
export async function createInstrumentations(clients: readonly TracedClient[]): Promise<Instrumentations> {
  const require = createRequire(import.meta.url);
  return {
    instrumentations: await Promise.all(clients.map((client) => creators[client]())),
    loadClients: () => {
      for (const client of clients) require(modules[client]);
      syncBuiltinESMExports();
    },
  };
}
