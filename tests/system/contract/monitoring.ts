import { readFileSync } from 'node:fs';
import { describe, expect } from '@jest/globals';
import { parse } from 'yaml';
import type { Setting } from './setting.ts';

interface Dashboard {
  readonly panels: readonly { readonly title: string; readonly targets: readonly { readonly expr: string }[] }[];
}

interface Rules {
  readonly groups: readonly {
    readonly rules: readonly { readonly alert?: string; readonly record?: string; readonly expr: string }[];
  }[];
}

const deployed = (path: string): string => readFileSync(new URL(`../../../deploy/${path}`, import.meta.url), 'utf8');
const dashboard = JSON.parse(deployed('grafana/dashboards/reelstream.json')) as Dashboard;
const rules = parse(deployed('prometheus/reelstream.rules.yml')) as Rules;

/** The names of metrics in PromQL. */
function metricsIn(promql: string): string[] {
  return [...promql.matchAll(/\b(?:up|ALERTS|(?:api|reelstream|process|nodejs|traces)[_:][a-z0-9_:]+)\b/g)].map(
    ([name]) => name.replace(/_(bucket|sum|count)$/, ''),
  );
}

/** Recorded by a rule, created by Prometheus itself, or derived from spans by the collector. */
const isMadeElsewhere = (name: string): boolean =>
  rules.groups.some((group) => group.rules.some(({ record }) => record === name)) ||
  ['up', 'ALERTS'].includes(name) ||
  name.startsWith('traces_');

export function monitoringContract({ system, systemTest }: Setting): void {
  describe('monitoring', () => {
    systemTest('every panel and alarm uses metrics, and each metric exists in a process', async () => {
      const exported = new Set<string>();
      for (const { url } of system().processes) {
        const text = await (await fetch(`${url}/metrics`)).text();
        for (const [, name] of text.matchAll(/^# TYPE (\S+) /gm)) exported.add(name!);
      }
      const queries = [
        ...dashboard.panels.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ title, expr }))),
        ...rules.groups.flatMap((group) =>
          group.rules.map(({ alert, record, expr }) => ({ title: alert ?? record, expr })),
        ),
      ];
      expect(queries.length).toBeGreaterThan(dashboard.panels.length);
      expect(queries.filter(({ expr }) => metricsIn(expr).length === 0)).toEqual([]);
      const wanted = new Set(queries.flatMap(({ expr }) => metricsIn(expr)));
      expect([...wanted].filter((name) => !isMadeElsewhere(name) && !exported.has(name))).toEqual([]);
    });
  });
}
