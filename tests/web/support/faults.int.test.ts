import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser } from 'playwright-core';
import { describeInBrowser } from './describeInBrowser.ts';
import { collectFaults, type Faults } from './faults.ts';

describeInBrowser('the faults of a page', (launch) => {
  const server = createServer((request, response) => {
    response.statusCode = request.url === '/' ? 200 : 404;
    response.setHeader('content-security-policy', "default-src 'self'; img-src *");
    response.setHeader('content-type', 'text/html').end('<title>A page</title><link rel="icon" href="/">');
  });
  let browser: Browser | undefined;
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    browser = await launch();
  });
  afterAll(async () => {
    await browser?.close();
    server.closeAllConnections();
    server.close();
  });

  const after = async (action: string, expected: readonly RegExp[] = []): Promise<Faults> => {
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const context = await browser!.newContext();
    const faults = collectFaults(context, new Set([host]), expected);
    const page = await context.newPage();
    await page.goto(`http://${host}/`);
    await page.evaluate(action);
    // What the page does next comes after the faults of the action.
    const last = page.waitForEvent('console', (message) => message.text() === 'done');
    await page.evaluate("fetch('/').then(() => console.log('done'))");
    await last;
    await context.close();
    return faults;
  };

  test('a page without any has none', async () => {
    expect((await after('0')).seen).toEqual([]);
  });

  test.each<[string, string, RegExp]>([
    ['an error on the console', "console.error('wrong')", /^console: wrong/],
    ['an error that nobody caught', "void Promise.reject(new Error('lost'))", /^uncaught: .*lost/],
    ['a violation of the content policy', "document.body.setAttribute('onclick', '1')", /Content Security Policy/],
    ['an answer that says no', "void fetch('/missing')", /^console: .*404/],
    ['another host', "new Image().src = 'http://127.0.0.2:9/x.png'", /^another host: http:\/\/127.0.0.2/],
  ])('%s is one, unless it is expected', async (_, action, fault) => {
    expect((await after(action)).seen).toContainEqual(expect.stringMatching(fault));
    expect((await after(action, [/./])).seen).toEqual([]);
  });
});
