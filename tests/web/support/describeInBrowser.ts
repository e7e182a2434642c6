import { describe } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { findBrowser, launchBrowser } from './findBrowser.ts';

const found = await findBrowser();

/**
 * `describe` for tests in a browser. Where none is found they are skipped with a message, and fail where
 * `REQUIRE_BROWSER` is set. Who launches a browser closes it.
 */
export function describeInBrowser(name: string, tests: (launch: () => Promise<Browser>) => void): void {
  if (!('missing' in found)) {
    describe(name, () => tests(() => launchBrowser(found)));
    return;
  }
  const reason = `no browser plays H.264 here (set CHROMIUM_PATH, or install Debian's chromium): ${found.missing}`;
  if (process.env['REQUIRE_BROWSER'] !== undefined) throw new Error(reason);
  process.stderr.write(`SKIPPED, because ${reason}: ${name}\n`);
  describe.skip(name, () => tests(() => Promise.reject(new Error(reason))));
}
