import { collectDefaultMetrics, Counter, Histogram, Registry } from 'prom-client';

/** The metrics of this process. Other parts register their own in `registry`. */
export interface Metrics {
  readonly registry: Registry;
  /** Counts an answered request. `seconds`: from the first byte of the request to the last byte of the answer. */
  request(method: string, status: number, seconds: number): void;
  /** Events appended, by category of stream. */
  readonly eventsAppended: Counter<'category'>;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  // The names, labels and buckets of these two are those of the original server, so that its dashboards still work.
  const requests = new Counter({
    name: 'api_requests_total',
    help: 'Total number of API requests',
    labelNames: ['method', 'status_code'] as const,
    registers: [registry],
  });
  const durations = new Histogram({
    name: 'api_response_duration_seconds',
    help: 'API response duration in seconds',
    buckets: [0.1, 0.2, 0.5, 1, 2, 5],
    registers: [registry],
  });
  return {
    registry,
    request(method, status, seconds) {
      requests.inc({ method, status_code: status });
      durations.observe(seconds);
    },
    eventsAppended: new Counter({
      name: 'reelstream_events_appended_total',
      help: 'Events appended to the log by this process',
      labelNames: ['category'] as const,
      registers: [registry],
    }),
  };
}
