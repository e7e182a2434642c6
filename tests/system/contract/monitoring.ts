import { describe, expect } from '@jest/globals';
import { metricTable, processMetrics } from '../../../src/telemetry/metricTable.ts';
import { metricsIn, needsKafka, panelQueries, ruleQueries, rules } from '../../support/dashboards.ts';
import type { Setting } from './setting.ts';

/** Recorded by a rule, created by Prometheus itself, or derived from spans by the collector. */
const isMadeElsewhere = (name: string): boolean =>
  rules().some(({ record }) => record === name) || ['up', 'ALERTS'].includes(name) || name.startsWith('traces_');

export function monitoringContract({ system, systemTest }: Setting): void {
  const isShownHere = (name: string): boolean => system().profile === 'cluster' || !needsKafka(name);

  async function shown(): Promise<Set<string>> {
    const names = new Set<string>();
    for (const { url } of system().processes) {
      const text = await (await fetch(`${url}/metrics`)).text();
      for (const [, name] of text.matchAll(/^# TYPE (\S+) /gm)) names.add(name!);
    }
    return names;
  }

  describe('monitoring', () => {
    systemTest('the processes show every metric of the table, and no other', async () => {
      const names = await shown();
      const documented = [...Object.keys(metricTable), ...Object.keys(processMetrics)];
      expect([...names].filter((name) => !documented.includes(name))).toEqual([]);
      expect(documented.filter((name) => isShownHere(name) && !names.has(name))).toEqual([]);
    });

    systemTest('every panel and alert uses metrics, and each metric exists in a process', async () => {
      const names = await shown();
      const queries = [...panelQueries(), ...ruleQueries()];
      expect(queries.filter(({ expr }) => metricsIn(expr).length === 0)).toEqual([]);
      const wanted = new Set(queries.flatMap(({ expr }) => metricsIn(expr)));
      expect([...wanted].filter((name) => !isMadeElsewhere(name) && isShownHere(name) && !names.has(name))).toEqual([]);
    });
  });
}
