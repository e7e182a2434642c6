import type { Browser } from 'playwright-core';
import { clip } from '../tests/support/clips.ts';
import { newPerson, uploaded } from '../tests/support/systemClient.ts';
import { mustBeBuilt } from '../tests/web/support/builtPage.ts';
import { findBrowser, launchBrowser } from '../tests/web/support/findBrowser.ts';
import { firstLoad, type FirstLoad } from '../tests/web/support/firstLoad.ts';
import { untilAllIsMade } from './allIsMade.ts';
import { percentile, type Benchmark, type Comparison } from './benchmark.ts';
import { benchFolder, npmStart } from './started.ts';

const ROUNDS = 5;
const VIDEOS = 5;
const SLOWER = 4;
const PROMISED = { largestPaintMs: 1_500, scriptKb: 200 };

/**
 * The first load of the web page, in a browser that has never seen it and computes four times as slowly as this machine: when the
 * largest thing is painted, and how much script is needed.
 */
export const page: Benchmark = {
  name: 'page',
  async run() {
    const found = await findBrowser();
    if ('missing' in found) throw new Error(`no browser plays H.264 here: ${found.missing}`);
    await mustBeBuilt();
    await using folder = await benchFolder();
    const started = await npmStart(folder);
    const browser = await launchBrowser(found);
    try {
      const { token } = await newPerson(started.url);
      const movie = await clip('portrait');
      const videoIds: string[] = [];
      for (let n = 1; n <= VIDEOS; n++)
        videoIds.push((await uploaded(started.url, token, movie, { title: `Video ${n}` })).id);
      await untilAllIsMade(started.url, videoIds);
      const loads: FirstLoad[] = [];
      for (let round = 0; round < ROUNDS; round++) loads.push(await firstLoadOf(browser, started.url));
      return [
        promised('the feed, largest paint, CPU four times as slow', loads, 'largestPaintMs', 'ms'),
        promised('the feed, script of the first load, compressed', loads, 'scriptKb', 'kB'),
      ];
    } finally {
      await browser.close();
      await started.stop();
    }
  },
};

/** With an empty cache. */
async function firstLoadOf(browser: Browser, url: string): Promise<FirstLoad> {
  const context = await browser.newContext({ viewport: { width: 390, height: 844 } });
  try {
    return await firstLoad(await context.newPage(), url, SLOWER);
  } finally {
    await context.close();
  }
}

function promised(what: string, loads: readonly FirstLoad[], figure: keyof FirstLoad, unit: string): Comparison {
  const ours = percentile(
    loads.map((load) => load[figure]),
    0.5,
  );
  return { what, peer: 'what we promise', ours, theirs: PROMISED[figure], unit, atMost: 1 };
}
