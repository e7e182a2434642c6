import { readdirSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { metricTable, type MetricRow } from '../../src/telemetry/metricTable.ts';

/** A query of a panel, of an alert or of a recording rule. */
export interface MonitoringQuery {
  /** `dashboard: panel`, or the name of the rule. */
  readonly title: string;
  readonly expr: string;
}

export interface Rule {
  readonly alert?: string;
  readonly record?: string;
  readonly expr: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

interface Panel {
  readonly title: string;
  readonly type: string;
  readonly datasource?: { readonly type: string };
  readonly targets?: readonly { readonly expr?: string }[];
}

interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly panels: readonly Panel[];
}

const deploy = new URL('../../deploy/', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, deploy), 'utf8');

export const RULES_FILE = new URL('prometheus/reelstream.rules.yml', deploy).pathname;

export function dashboards(): Dashboard[] {
  return readdirSync(new URL('grafana/dashboards', deploy)).map(
    (file) => JSON.parse(read(`grafana/dashboards/${file}`)) as Dashboard,
  );
}

export function rules(): Rule[] {
  const { groups } = parse(read('prometheus/reelstream.rules.yml')) as { groups: { rules: Rule[] }[] };
  return groups.flatMap((group) => group.rules);
}

/** The PromQL of all panels, with the variables that Grafana would fill in. */
export function panelQueries(): MonitoringQuery[] {
  return dashboards().flatMap(({ title, panels }) =>
    panels.flatMap((panel) =>
      (panel.targets ?? []).flatMap(({ expr }) =>
        expr === undefined ? [] : [{ title: `${title}: ${panel.title}`, expr: expr.replaceAll('$route', '.*') }],
      ),
    ),
  );
}

export function ruleQueries(): MonitoringQuery[] {
  return rules().map(({ alert, record, expr }) => ({ title: alert ?? record ?? '', expr }));
}

/** The names of metrics in PromQL. */
export function metricsIn(promql: string): string[] {
  return [...promql.matchAll(/\b(?:up|ALERTS|(?:api|reelstream|process|nodejs|traces)[_:][a-z0-9_:]+)\b/g)].map(
    ([name]) => (name in metricTable ? name : name.replace(/_(bucket|sum|count)$/, '')),
  );
}

/** Whether only a process that works with Kafka shows the metric. */
export function needsKafka(name: string): boolean {
  return (metricTable as Readonly<Record<string, MetricRow>>)[name]?.part === 'Kafka';
}
