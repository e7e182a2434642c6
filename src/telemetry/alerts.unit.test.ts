import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { dashboards, panelQueries, rules } from '../../tests/support/dashboards.ts';

const runbook = readFileSync(new URL('../../docs/runbook.md', import.meta.url), 'utf8');
const headings = [...runbook.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading!);
const alerts = rules().flatMap(({ alert, annotations }) => (alert === undefined ? [] : [{ alert, annotations }]));

test('every alert points to its part of the runbook, and the runbook has no others', () => {
  for (const { alert, annotations } of alerts)
    expect([alert, annotations?.['runbook_url']]).toEqual([alert, `docs/runbook.md#${alert.toLowerCase()}`]);
  expect(headings).toEqual(alerts.map(({ alert }) => alert));
});

test('every alert is tested by promtool', () => {
  const tests = readFileSync(new URL('../../deploy/prometheus/reelstream.test.yml', import.meta.url), 'utf8');
  const raised = [...tests.matchAll(/^ +(?:- )?alertname: (\w+)$/gm)].map(([, name]) => name);
  expect(alerts.map(({ alert }) => alert).filter((name) => !raised.includes(name))).toEqual([]);
});

test('every dashboard has an id of its own, and its panels have queries', () => {
  const ids = dashboards().map(({ uid }) => uid);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids).toHaveLength(4);
  expect(panelQueries().length).toBeGreaterThan(60);
});
