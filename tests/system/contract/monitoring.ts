import { readFileSync } from 'node:fs';
import { describe, expect } from '@jest/globals';
import type { Setting } from './setting.ts';

interface Dashboard {
  readonly title: string;
  readonly uid: string;
  readonly panels: readonly { readonly title: string; readonly targets: readonly { readonly expr: string }[] }[];
}

const deployed = (path: string): string => readFileSync(new URL(`../../../deploy/${path}`, import.meta.url), 'utf8');
const dashboard = JSON.parse(deployed('grafana/dashboards/reelstream.json')) as Dashboard;
const rules = deployed('prometheus/reelstream.rules.yml');

/** Names of our own metrics in PromQL; the collector's (`traces_…`) come from its own configuration. */
function metricsIn(promql: string): string[] {
  return [...promql.matchAll(/\b(?:api|reelstream|process|nodejs)_[a-z0-9_]+\b/g)].map(([name]) =>
    name.replace(/_(bucket|sum|count)$/, ''),
  );
}

export function monitoringContract({ system, systemTest }: Setting): void {
  describe('monitoring', () => {
    systemTest('what the dashboard and the alarms look at are metrics that some process has', async () => {
      const exported = new Set<string>();
      for (const { url } of system().processes) {
        const text = await (await fetch(`${url}/metrics`)).text();
        for (const [, name] of text.matchAll(/^# TYPE (\S+) /gm)) exported.add(name!);
      }
      const shown = dashboard.panels.flatMap(({ targets }) => targets.flatMap(({ expr }) => metricsIn(expr)));
      const wanted = [...new Set([...shown, ...metricsIn(rules)])];
      expect(wanted.length).toBeGreaterThan(5);
      expect(wanted.filter((name) => !exported.has(name))).toEqual([]);
    });

    systemTest('every panel has a name and asks something', () => {
      expect(dashboard).toMatchObject({ title: 'ReelStream', uid: 'reelstream' });
      for (const { title, targets } of dashboard.panels)
        expect([title !== '', targets.every(({ expr }) => expr !== '')]).toEqual([true, true]);
      return Promise.resolve();
    });
  });
}
