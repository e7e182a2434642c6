import type { Page } from 'playwright-core';
import { eventually } from '../../support/eventually.ts';

/** What the browser has fetched of the web page so far. */
export interface Loaded {
  /** Bytes, compressed as sent. */
  readonly script: number;
  /** Bytes that came over the network: none for what was in the browser's cache. */
  readonly sent: number;
  /** Their paths. */
  readonly assets: readonly string[];
}

export function loaded(page: Page): Promise<Loaded> {
  return page.evaluate<Loaded>(`(() => {
    const all = performance.getEntriesByType('resource').filter(({ name }) => new URL(name).pathname.startsWith('/assets/'));
    const sum = (list, figure) => list.reduce((total, entry) => total + entry[figure], 0);
    return {
      script: sum(all.filter(({ name }) => name.endsWith('.js')), 'encodedBodySize'),
      sent: sum(all, 'transferSize'),
      assets: all.map(({ name }) => new URL(name).pathname),
    };
  })()`);
}

export interface FirstLoad {
  /** From the start of the navigation until the largest picture or text is painted. */
  readonly largestPaintMs: number;
  /** Of 1000 bytes, compressed as sent. */
  readonly scriptKb: number;
}

/** Opens the feed and waits until its first video plays, while everything that the page computes takes `slower` times as long. */
export async function firstLoad(page: Page, url: string, slower: number): Promise<FirstLoad> {
  const session = await page.context().newCDPSession(page);
  await session.send('Emulation.setCPUThrottlingRate', { rate: slower });
  await page.goto(url);
  await videoPlays(page);
  const { script } = await loaded(page);
  return { largestPaintMs: await page.evaluate<number>(LARGEST_PAINT), scriptKb: script / 1_000 };
}

/** Waits until a video on the page plays. The content policy lets Playwright wait for no string of script by itself. */
export async function videoPlays(page: Page, within = 30_000): Promise<void> {
  await eventually(() => page.evaluate<boolean>(VIDEO_PLAYS), { within, every: 100, what: 'a video plays' });
}

const VIDEO_PLAYS = `[...document.querySelectorAll('video')].some(({ currentTime }) => currentTime > 0)`;

const LARGEST_PAINT = `new Promise((resolve) => {
  const observer = new PerformanceObserver((list) => resolve(list.getEntries().at(-1).startTime));
  observer.observe({ type: 'largest-contentful-paint', buffered: true });
})`;
