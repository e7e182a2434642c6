import type { BrowserContext } from 'playwright-core';

/** Another page of the same visitor was faster to renew the access token. This one asks again, and no visitor sees it. */
const RENEWED_ELSEWHERE = /status of 409 .*\/auth\/refresh-token/;

/** What went wrong in the pages of a visitor: each must be empty at the end of a test. */
export interface Faults {
  readonly seen: readonly string[];
}

/**
 * Collects errors on the console (a violation of the content policy is one), errors that nobody caught, requests that
 * failed, and requests to hosts other than those of the system. `expected` faults are left out.
 */
export function collectFaults(
  context: BrowserContext,
  hosts: ReadonlySet<string>,
  expected: readonly RegExp[],
): Faults {
  const seen: string[] = [];
  const add = (fault: string): void => {
    if (![RENEWED_ELSEWHERE, ...expected].some((pattern) => pattern.test(fault))) seen.push(fault);
  };
  context.on('console', (message) => {
    if (message.type() === 'error') add(`console: ${message.text()} (${message.location().url})`);
  });
  context.on('weberror', (error) => add(`uncaught: ${error.error().stack ?? error.error().message}`));
  context.on('requestfailed', (request) => {
    const reason = request.failure()?.errorText ?? 'no reason';
    // The page itself ended it: a video that is no longer in view, or a page that was left.
    if (reason !== 'net::ERR_ABORTED') add(`request: ${request.method()} ${request.url()}: ${reason}`);
  });
  context.on('request', (request) => {
    const { protocol, host } = new URL(request.url());
    if (['http:', 'https:'].includes(protocol) && !hosts.has(host)) add(`another host: ${request.url()}`);
  });
  return { seen };
}
