import { metricTable, processMetrics, type MetricRow } from './metricTable.ts';

/** The content of docs/metrics.md. */
export function metricsDocument(): string {
  const rows = Object.entries<MetricRow>(metricTable);
  const parts = [...Map.groupBy(rows, ([, { part }]) => part)].map(
    ([part, metrics]) => `## ${part}\n\n${metrics.map(([name, row]) => section(name, row)).join('\n\n')}`,
  );
  const others = Object.entries(processMetrics).map(([name, help]) => `| \`${name}\` | ${help} |`);
  return `<!-- Made by "npm run -s reelstream -- metrics > docs/metrics.md" from src/telemetry/metricTable.ts. -->

# Metrics

Every process shows its metrics at \`GET /metrics\` on its \`PORT\`, in Prometheus's text format. With
\`OTEL_METRICS_EXPORTER=otlp\` it also sends them to \`OTEL_EXPORTER_OTLP_ENDPOINT\`. A process shows the metrics of its roles;
\`reelstream serve\` has all roles. Durations are in seconds. No label holds an id, an address or a name of a user.

${parts.join('\n\n')}

## Node.js and the operating system

| metric | what it measures |
| --- | --- |
${others.join('\n')}
`;
}

function section(name: string, { kind, help, labels, from, buckets }: MetricRow): string {
  const facts = [
    `- ${kind}, shown by: ${from}`,
    ...Object.entries(labels).map(([label, meaning]) => `- \`${label}\`: ${meaning}`),
    ...(buckets === undefined ? [] : [`- buckets: ${buckets.join(', ')}`]),
  ];
  return `### \`${name}\`\n\n${help}.\n\n${facts.join('\n')}`;
}
