import type { MetricObjectWithValues, MetricValue, MetricValueWithName } from 'prom-client';
import type * as OpenTelemetry from '@opentelemetry/sdk-metrics';
import { withTimeout } from '../core/withTimeout.ts';
import type { Metrics } from './metrics.ts';

export interface MetricsExportOptions {
  readonly metrics: Pick<Metrics, 'registry'>;
  /** The attribute `service.name`. */
  readonly service: string;
  /** Milliseconds between two exports. */
  readonly everyMs: number;
}

export interface MetricsExport {
  /** Sends the metrics once more. Takes two seconds at most. */
  close(): Promise<void>;
}

const CLOSE_WITHIN_MS = 2_000;

/**
 * Sends the metrics at intervals as OTLP over HTTP: those of prom-client's registry, with their names and labels. Protocol,
 * endpoint, headers and timeout are those of the `OTEL_EXPORTER_OTLP_*` variables, as for traces. What cannot be sent is lost.
 */
export async function startMetricsExport({ metrics, service, everyMs }: MetricsExportOptions): Promise<MetricsExport> {
  const [sdk, { resourceFromAttributes }, { OTLPMetricExporter }] = await Promise.all([
    import('@opentelemetry/sdk-metrics'),
    import('@opentelemetry/resources'),
    process.env['OTEL_EXPORTER_OTLP_PROTOCOL'] === 'http/json'
      ? import('@opentelemetry/exporter-metrics-otlp-http')
      : import('@opentelemetry/exporter-metrics-otlp-proto'),
  ]);
  const resource = resourceFromAttributes({ 'service.name': service });
  const began = new Date();
  const producer: OpenTelemetry.MetricProducer = {
    async collect() {
      const found = await metrics.registry.getMetricsAsJSON();
      const now = new Date();
      const converted = found.flatMap((metric) => metricData(sdk, metric, began, now) ?? []);
      return {
        resourceMetrics: { resource, scopeMetrics: [{ scope: { name: 'reelstream' }, metrics: converted }] },
        errors: [],
      };
    },
  };
  const reader = new sdk.PeriodicExportingMetricReader({
    exporter: new OTLPMetricExporter(),
    exportIntervalMillis: everyMs,
    exportTimeoutMillis: Math.min(everyMs, 10_000),
    metricProducers: [producer],
  });
  const provider = new sdk.MeterProvider({ resource, readers: [reader] });
  return {
    close: () =>
      withTimeout(
        provider.shutdown().catch(() => undefined),
        CLOSE_WITHIN_MS,
        () => undefined,
      ),
  };
}

type Metric = MetricObjectWithValues<MetricValue<string>>;

/** Undefined for a kind that we have none of. */
function metricData(
  { AggregationTemporality, DataPointType }: typeof OpenTelemetry,
  metric: Metric,
  began: Date,
  now: Date,
): OpenTelemetry.MetricData | undefined {
  const { name, help } = metric;
  // prom-client's declarations say that this is an enum; it is the name of the kind.
  const kind = metric.type as unknown as string;
  const common = {
    descriptor: { name, description: help, unit: '', valueType: 1 },
    aggregationTemporality: AggregationTemporality.CUMULATIVE,
  };
  const times = { startTime: hrTime(began), endTime: hrTime(now) };
  const points = metric.values.map(({ labels, value }) => ({ ...times, attributes: { ...labels } as Labels, value }));
  if (kind === 'counter') return { ...common, dataPointType: DataPointType.SUM, isMonotonic: true, dataPoints: points };
  if (kind === 'gauge') return { ...common, dataPointType: DataPointType.GAUGE, dataPoints: points };
  if (kind !== 'histogram') return undefined;
  const dataPoints = histograms(metric as MetricObjectWithValues<MetricValueWithName<string>>).map((point) => ({
    ...times,
    ...point,
  }));
  return { ...common, dataPointType: DataPointType.HISTOGRAM, dataPoints };
}

type Labels = Record<string, string>;

interface HistogramPoint {
  readonly attributes: Labels;
  readonly value: { buckets: { boundaries: number[]; counts: number[] }; sum: number; count: number };
}

/** prom-client lists the buckets of a histogram one by one, each with what is in those before it. */
function histograms({ values }: MetricObjectWithValues<MetricValueWithName<string>>): HistogramPoint[] {
  const points = new Map<string, HistogramPoint>();
  for (const { labels, value, metricName = '' } of values) {
    const { le, ...attributes } = labels as Labels;
    const key = JSON.stringify(attributes);
    const empty = { buckets: { boundaries: [], counts: [] }, sum: 0, count: 0 };
    const point = points.get(key) ?? { attributes, value: empty };
    points.set(key, point);
    const { buckets } = point.value;
    if (metricName.endsWith('_sum')) point.value.sum = value;
    else if (metricName.endsWith('_count')) point.value.count = value;
    else {
      if (le !== '+Inf') buckets.boundaries.push(Number(le));
      buckets.counts.push(value - buckets.counts.reduce((sum, count) => sum + count, 0));
    }
  }
  return [...points.values()];
}

function hrTime(date: Date): [number, number] {
  const ms = date.getTime();
  return [Math.trunc(ms / 1_000), (ms % 1_000) * 1_000_000];
}
