import type { Page } from 'playwright-core';

/** What the browser has fetched for a page so far. */
export interface Loaded {
  /** Bytes, compressed as sent. */
  readonly script: number;
  readonly style: number;
  /** Bytes that came over the network: none for what was in the browser's cache. */
  readonly sent: number;
  readonly assets: readonly string[];
}

export function loaded(page: Page): Promise<Loaded> {
  return page.evaluate<Loaded>(`(() => {
    const all = performance.getEntriesByType('resource').filter(({ name }) => new URL(name).pathname.startsWith('/assets/'));
    const sizeOf = (ending) => all.filter(({ name }) => name.endsWith(ending)).reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0);
    return {
      script: sizeOf('.js'),
      style: sizeOf('.css'),
      sent: all.reduce((sum, { transferSize }) => sum + transferSize, 0),
      assets: all.map(({ name }) => new URL(name).pathname),
    };
  })()`);
}

/** Milliseconds from the start of the navigation until the largest picture or text that was painted so far. */
export function largestPaint(page: Page): Promise<number> {
  return page.evaluate<number>(`new Promise((resolve) => {
    new PerformanceObserver((list) => resolve(list.getEntries().at(-1).startTime)).observe({ type: 'largest-contentful-paint', buffered: true });
  })`);
}

/** Everything that the page computes takes so many times as long from now on. */
export async function slowDown(page: Page, times: number): Promise<void> {
  const session = await page.context().newCDPSession(page);
  await session.send('Emulation.setCPUThrottlingRate', { rate: times });
}
