import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { withTimeout } from '../core/withTimeout.ts';
import { metricTable, type LabelOf, type MetricName, type MetricNameOf, type MetricRow } from './metricTable.ts';
import { createRequestMetrics, type RequestFacts } from './requestMetrics.ts';

/** The metrics of this process. Each has a row in `metricTable`, and is shown once a part of the process has asked for it. */
export interface Metrics {
  readonly registry: Registry;
  /** Counts an answered request (`RequestMetrics.count`). */
  request(facts: RequestFacts): void;
  counter<Name extends MetricNameOf<'counter'>>(name: Name): Counter<LabelOf<Name>>;
  gauge<Name extends MetricNameOf<'gauge'>>(name: Name): Gauge<LabelOf<Name>>;
  histogram<Name extends MetricNameOf<'histogram'>>(name: Name): Histogram<LabelOf<Name>>;
  /**
   * Shows values that are read at each scrape. A read that fails, or takes longer than 1.5 s, shows what it has found by
   * then. Several parts may show values of one metric.
   */
  showAtScrape<Name extends ReadName>(names: readonly Name[], read: (show: Show<Name>) => Promise<void> | void): void;
}

type ReadName = MetricNameOf<'counter' | 'gauge'>;

/** Shows one value. Of a counter: the count since the start of the process. */
export type Show<Name extends ReadName> = <One extends Name>(
  name: One,
  labels: Readonly<Record<LabelOf<One>, string>>,
  value: number,
) => void;

/** A scrape must not hang when a part hangs (ms). */
const LONGEST_READ_MS = 1_500;

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const made = new Map<string, Counter | Gauge | Histogram>();

  /** The metric of a row. It is registered when it is first asked for. */
  function metric(name: keyof typeof metricTable): Counter | Gauge | Histogram {
    const known = made.get(name);
    if (known !== undefined) return known;
    const row: MetricRow = metricTable[name];
    const facts = { name, help: row.help, labelNames: Object.keys(row.labels), registers: [registry] };
    const created =
      row.kind === 'counter'
        ? new Counter(facts)
        : row.kind === 'gauge'
          ? new Gauge(facts)
          : new Histogram({ ...facts, buckets: [...row.buckets!] });
    made.set(name, created);
    return created;
  }

  const sources = new Map<ReadName, Source[]>();

  function showFrom(name: ReadName, source: Source): void {
    const all = sources.get(name);
    if (all !== undefined) return void all.push(source);
    const here = [source];
    sources.set(name, here);
    const shown = metric(name) as Counter | Gauge;
    const collect = async (): Promise<void> => {
      const values = (await Promise.all(here.map((each) => each()))).flat();
      shown.reset();
      for (const value of values) if (value.name === name) shown.inc(value.labels, value.value);
    };
    Object.assign(shown, { collect });
  }

  const counter: Metrics['counter'] = (name) => metric(name) as Counter<LabelOf<typeof name>>;
  const gauge: Metrics['gauge'] = (name) => metric(name) as Gauge<LabelOf<typeof name>>;
  const histogram: Metrics['histogram'] = (name) => metric(name) as Histogram<LabelOf<typeof name>>;
  const requests = createRequestMetrics(registry);

  function showAtScrape<Name extends ReadName>(
    names: readonly Name[],
    read: (show: Show<Name>) => Promise<void> | void,
  ): void {
    const source = createSource(read as (show: Show<ReadName>) => Promise<void> | void);
    for (const name of names) showFrom(name, source);
  }

  showAtScrape(['api_requests_total'], (show) => {
    for (const { method, status, count } of requests.totals())
      show('api_requests_total', { method, status_code: String(status) }, count);
  });

  return { registry, counter, gauge, histogram, request: requests.count, showAtScrape };
}

interface Value {
  readonly name: MetricName;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Reads the values of some metrics. prom-client reads all metrics of a scrape at once, so they share one read. */
type Source = () => Promise<readonly Value[]>;

function createSource(read: (show: Show<ReadName>) => Promise<void> | void): Source {
  let reading: { readonly found: Value[]; readonly done: Promise<void> } | undefined;
  const begin = (): NonNullable<typeof reading> => {
    const found: Value[] = [];
    const done = (async () => read((name, labels, value) => void found.push({ name, labels, value })))()
      .catch(() => undefined)
      .finally(() => (reading = undefined));
    return { found, done };
  };
  return async () => {
    // A read that hangs is not begun again.
    const { found, done } = (reading ??= begin());
    await withTimeout(done, LONGEST_READ_MS, () => undefined);
    return [...found];
  };
}
