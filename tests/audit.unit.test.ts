import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { allowList, problemsOf, type AllowedAdvisory } from '../.ci/auditReport.ts';

const json = (path: string): unknown => JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'));

const found = (severity: string) => ({
  name: 'parser',
  severity,
  title: 'Reads beyond the end',
  url: 'https://github.com/advisories/GHSA-aaaa-bbbb-cccc',
});
/** As `npm audit --json` of npm 11. */
const report = (severity = 'high') => ({
  auditReportVersion: 2,
  vulnerabilities: { parser: { via: [found(severity)] }, server: { via: ['parser'] } },
});
const line: AllowedAdvisory = {
  package: 'parser',
  advisory: 'GHSA-aaaa-bbbb-cccc',
  reason: 'We never parse what others send.',
  until: '2030-02-01',
};
const FOUND = 'parser: high: Reads beyond the end (https://github.com/advisories/GHSA-aaaa-bbbb-cccc)';

test('a high or critical advisory is a problem, unless the list allows it today', () => {
  expect(problemsOf(report(), [], '2030-01-01')).toEqual([FOUND]);
  expect(problemsOf(report('critical'), [], '2030-01-01')).toHaveLength(1);
  expect(problemsOf(report('moderate'), [], '2030-01-01')).toEqual([]);
  expect(problemsOf(report(), [line], '2030-01-31')).toEqual([]);
  expect(problemsOf(report(), [line], '2030-02-01')).toEqual([FOUND]);
});

test('a line that allows what is no longer found is a problem', () => {
  const dead = 'GHSA-aaaa-bbbb-cccc of parser is no longer found: remove its line';
  expect(problemsOf({ vulnerabilities: {} }, [line], '2030-01-01')).toEqual([dead]);
  expect(problemsOf(report('low'), [line], '2030-01-01')).toEqual([dead]);
});

test('an answer of a registry that has no list of advisories is no result', () => {
  for (const answer of [undefined, {}, { statusCode: 405, message: '405 Method Not Allowed', error: {} }])
    expect(problemsOf(answer, [], '2030-01-01')).toBeUndefined();
});

test('each allowed advisory has a reason and an end, and is of a package that runs in production', () => {
  const { packages } = json('../package-lock.json') as { packages: Record<string, { dev?: boolean }> };
  const production = Object.keys(packages).filter((path) => packages[path]!.dev !== true);
  for (const { package: name } of allowList.parse(json('../.ci/audit-allowed.json')))
    expect(production.filter((path) => path.endsWith(`node_modules/${name}`))).not.toEqual([]);
});
