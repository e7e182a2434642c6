import { readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import type { Comparison } from './benchmark.ts';
import { chart } from './chart.ts';
import { allResults, withResults } from './report.ts';
import { readRecorded, type Recorded } from './results.ts';

const page = () => readFile(new URL('README.md', import.meta.url), 'utf8');

const machine = {
  ...{ cpu: 'A CPU', cores: 2, memory: 16, node: '24.0.0', postgres: '18.4' },
  ...{ fsync: 'on', synchronousCommit: 'on', ffmpeg: '7.1' },
};
const likes: Comparison = {
  ...{ what: 'likes', peer: 'twin', ours: 900, theirs: 1_000, unit: '/s', atLeast: 1, chart: 'likes & more' },
  cpu: { ours: { process: 12.34, postgres: 50 }, theirs: { process: 20 } },
};
const starting: Comparison = { what: 'start', peer: 'promise', ours: 50, theirs: 100, unit: 'ms', atMost: 1 };
const recorded = (commits: readonly [string, string]): Recorded => ({
  machine,
  diskFlush: 0.5,
  benchmarks: { crud: { commit: commits[0], results: [likes] }, startup: { commit: commits[1], results: [starting] } },
});

describe('the report', () => {
  it('is what the recorded results give', async () => {
    const results = await readRecorded();
    if (results === undefined) throw new Error('bench/results.json is missing');
    expect(withResults(await page(), results)).toBe(await page());
    expect(chart(allResults(results))).toBe(await readFile(new URL('speed.svg', import.meta.url), 'utf8'));
  });

  it('shows a requirement that is missed, the machine, and a commit that all share', async () => {
    const text = withResults(await page(), recorded(['abc1234', 'abc1234']));
    expect(text).toContain('A CPU, 2 cores, 16 GiB of memory; Node 24.0.0, PostgreSQL 18.4 (fsync on');
    expect(text).toContain('Commit abc1234.\nMissed requirements: 1.');
    expect(text).toContain('| likes | 900 | 1 000 | /s | 12.3 + 50 | 20 | twin | 0.9 | ≥ 1 | MISSED |');
    expect(text).toContain('| start | 50 | 100 | ms | promise | 0.5 | ≤ 1 |');
  });

  it('names the commit of each benchmark when they were measured at several', async () => {
    const text = withResults(await page(), recorded(['abc1234', 'def5678']));
    expect(text).toContain('### crud (at abc1234)');
    expect(text).toContain('### startup (at def5678)');
  });

  it('keeps the text around the results, however often it is made', async () => {
    const once = withResults(await page(), recorded(['abc1234', 'def5678']));
    expect(withResults(once, recorded(['abc1234', 'def5678']))).toBe(once);
    expect(once).toContain('## What others publish');
  });
});

describe('the chart', () => {
  it('has the results that name themselves for it, and no others', () => {
    const picture = chart([likes, starting]);
    expect(picture).toContain('likes &amp; more');
    expect(picture).toContain('>0.9×<');
    expect(picture).not.toContain('start');
  });

  it('shows how many times as good ours is where less is better', () => {
    expect(chart([{ ...starting, chart: 'start' }])).toContain('>2×<');
  });
});
