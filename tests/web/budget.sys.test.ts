import { beforeAll, expect } from '@jest/globals';
import type { Page } from 'playwright-core';
import { eventually } from '../support/eventually.ts';
import { call, newPerson, type Me } from '../support/systemClient.ts';
import { describeWeb } from './support/describeWeb.ts';
import { fill, settled, type Content } from './support/everyPage.ts';
import { loaded, videoPlays } from './support/firstLoad.ts';

const KB = 1_000;
const MOST_SCRIPT = 200 * KB;

describeWeb('what a page costs to load', ({ system, webTest, visit }) => {
  let content: Content;
  beforeAll(async () => {
    content = await fill(system(), await newPerson(system().apis[0]!));
  }, 120_000);

  webTest('the first load of the feed, until its first video plays, needs at most 200 kB of script', async () => {
    const page = await visit('/');
    await settled(page);
    await videoPlays(page);
    const { script, assets } = await loaded(page);
    expect(assets.filter((name) => name.endsWith('.js'))).not.toEqual([]);
    expect(script).toBeGreaterThan(20 * KB);
    expect(script).toBeLessThanOrEqual(MOST_SCRIPT);
  });

  webTest('the second load takes everything but the page itself from the cache of the browser, and works', async () => {
    const page = await visit('/sign-in');
    await settled(page);
    expect((await loaded(page)).sent).toBeGreaterThan(0);
    const answer = await page.reload();
    expect(answer!.status()).toBe(200);
    await settled(page);
    expect((await loaded(page)).sent).toBe(0);
    // Only an address that the browser has seen is asked for with its ETag.
    await page.goto('/sign-up');
    await page.goto('/sign-in');
    await settled(page);
  });

  webTest('files are kept for ever, the page is not, and both are sent compressed', async () => {
    const page = await visit('/');
    await settled(page);
    const { assets } = await loaded(page);
    const headers = async (path: string): Promise<Record<string, string>> => {
      const answer = await page.request.get(path, { headers: { 'accept-encoding': 'br' } });
      return answer.headers();
    };
    expect(await headers('/')).toMatchObject({ 'cache-control': 'no-cache', 'content-encoding': 'br' });
    for (const asset of assets)
      expect(await headers(asset)).toMatchObject({ 'cache-control': 'public, max-age=31536000, immutable' });
    for (const asset of assets.filter((name) => /\.(js|css)$/.test(name)))
      expect(await headers(asset)).toMatchObject({ 'content-encoding': 'br' });
  });

  webTest(
    'the content policy allows no script and no style from elsewhere, also on a page that did not change',
    async () => {
      const page = await visit('/');
      const first = await page.request.get('/');
      const again = await page.request.get('/', { headers: { 'if-none-match': first.headers()['etag']! } });
      expect([first.status(), again.status()]).toEqual([200, 304]);
      for (const answer of [first, again]) {
        const policy = answer.headers()['content-security-policy'];
        expect(policy).toMatch(/default-src 'none'/);
        expect(policy).toMatch(/script-src 'self';/);
        expect(policy).toMatch(/style-src 'self';/);
        expect(policy).not.toMatch(/unsafe|\*|data:/);
      }
    },
  );

  webTest('a page that is left while it renews its access token leaves the session intact', async () => {
    const page = await visit('/account', { as: content.author });
    for (let turn = 0; turn < 5; turn++) {
      const asked = page.waitForRequest(isRenewal);
      await page.goto('/account', { waitUntil: 'commit' });
      await asked;
    }
    await settled(page);
    expect(await signedInAs(page)).toBe(content.author.username);
  });
});

const isRenewal = (request: { url(): string }): boolean => request.url().endsWith('/auth/refresh-token');

/** By the cookie of the browser, whatever the page shows. */
async function signedInAs(page: Page): Promise<string> {
  const renewed = await eventually(() => page.request.post('/api/v1/auth/refresh-token'), {
    what: 'the page has renewed its access token',
    holds: (answer) => answer.status() !== 409,
  });
  const { data } = (await renewed.json()) as { data: { accessToken: string } };
  const me = await call<Me>(page.url(), 'GET', '/api/v1/auth/me', { token: data.accessToken });
  return me.data.username;
}
