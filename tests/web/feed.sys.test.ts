import { beforeAll, expect } from '@jest/globals';
import type { Page } from 'playwright-core';
import { clip } from '../support/clips.ts';
import { call, newPerson, uploaded, type Answer, type Person, type Video } from '../support/systemClient.ts';
import { describeWeb } from './support/describeWeb.ts';
import { current, inView, plays } from './support/player.ts';

/** How many videos a page of the feed brings here. The page asks for more when four are left. */
const PAGE = 5;
const TITLES = ['First', 'Second', 'Third', 'Fourth', 'Fifth', 'Sixth'] as const;
const PHONE = { viewport: { width: 360, height: 740 }, hasTouch: true };

describeWeb('the feed', ({ system, webTest, visit }) => {
  const api = (): string => system().apis[0]!;
  let ann: Person;
  /** As the feed lists them. */
  let videos: Record<(typeof TITLES)[number], Video>;
  beforeAll(async () => {
    ann = await newPerson(api());
    const plain = await clip('plain');
    const made: [string, Video][] = [];
    for (const title of TITLES.toReversed()) made.push([title, await uploaded(api(), ann.token, plain, { title })]);
    videos = Object.fromEntries(made) as typeof videos;
  }, 120_000);
  const change = ({ id }: Video, json: object): Promise<Answer<unknown>> =>
    call(api(), 'PATCH', `/api/v1/video/${id}`, { token: ann.token, json });
  const remove = ({ id }: Video): Promise<Answer<unknown>> =>
    call(api(), 'DELETE', `/api/v1/video/${id}`, { token: ann.token });

  webTest('loads the next page before its reader comes to the end, and again after a failure', async () => {
    const page = await visit('about:blank', { expecting: [/503/] });
    const { promise: fails, resolve: stopFailing } = Promise.withResolvers<void>();
    let asked = 0;
    await page.route(/\/api\/v1\/video\?/, async (route) => {
      const url = new URL(route.request().url());
      url.searchParams.set('limit', String(PAGE));
      const isNext = url.searchParams.get('cursor') !== '';
      const isFailing = isNext && ++asked <= 3;
      if (asked === 3) stopFailing();
      if (!isFailing) return route.continue({ url: url.href });
      return route.fulfill({ status: 503, json: { success: false, message: 'Not now.', code: 'unavailable' } });
    });
    await page.goto('/');
    await inView(page, 'First');
    expect(await page.getByRole('article', { includeHidden: true }).count()).toBe(PAGE);
    expect(asked).toBe(0);
    await page.keyboard.press('ArrowDown');
    await inView(page, 'Second');
    await fails;
    for (const title of TITLES.slice(2, PAGE)) {
      await page.keyboard.press('ArrowDown');
      await inView(page, title);
    }
    await page.keyboard.press('ArrowDown');
    await page.getByText('Not now.').waitFor();
    await page.getByRole('button', { name: 'Try again' }).click();
    await inView(page, 'Sixth');
    await plays(page);
    await page.keyboard.press('ArrowDown');
    await page.getByText('That was all of it').waitFor();
    await page.getByRole('button', { name: 'Back to the top' }).click();
    await inView(page, 'First');
  });

  webTest('goes on by a swipe, one video at a time, and likes by a double tap', async () => {
    const page = await visit('/', { as: ann, ...PHONE });
    await inView(page, 'First');
    await plays(page);
    await swipe(page, -400);
    await inView(page, 'Second');
    await plays(page);
    await swipe(page, -400);
    await inView(page, 'Third');
    await swipe(page, 400);
    await inView(page, 'Second');
    await plays(page);
    await page.touchscreen.tap(180, 300);
    await current(page).getByRole('button', { name: 'Play', exact: true }).waitFor();
    await page.touchscreen.tap(180, 300);
    await page.touchscreen.tap(180, 300);
    await current(page).getByRole('button', { name: 'Like, 1 like', pressed: true }).waitFor();
  });

  webTest('gives the link of a video away, which leads to it', async () => {
    const page = await visit('/');
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await inView(page, 'First');
    await current(page).getByRole('button', { name: 'Share' }).click();
    await page.getByText('Link copied.').waitFor();
    const link = await page.evaluate(() => navigator.clipboard.readText());
    const stranger = await visit(new URL(link).pathname);
    expect(stranger.url()).toBe(link);
    await stranger.getByRole('heading', { name: 'First' }).waitFor();
    await plays(stranger);
  });

  webTest('offers the link to other apps where the system can', async () => {
    const page = await visit('/', PHONE);
    await inView(page, 'First');
    const shared = page.evaluate(
      () =>
        new Promise<ShareData>((resolve) =>
          Object.assign(navigator, { share: async (data: ShareData) => resolve(data) }),
        ),
    );
    await current(page).getByRole('button', { name: 'Share' }).tap();
    expect(await shared).toEqual({ title: 'First', url: `${new URL(page.url()).origin}/v/${videos.First.id}` });
  });

  webTest('loses videos that were deleted or hidden, as the other lists do, and keeps what is in view', async () => {
    const missing = { expecting: [/404/] };
    const [feed, one, neighbour, author] = [
      await visit('/', missing),
      await visit(`/v/${videos.Fourth.id}`, missing),
      await visit(`/v/${videos.Fifth.id}`),
      await visit(`/u/${ann.username}`),
    ];
    await inView(feed, 'First');
    await feed.keyboard.press('ArrowDown');
    await inView(feed, 'Second');
    await one.getByRole('heading', { name: 'Fourth' }).waitFor();
    await neighbour.getByRole('link', { name: 'Newer' }).waitFor();
    await author.getByText('· 6 videos').waitFor();

    expect((await remove(videos.First)).status).toBe(204);
    await author.getByText('· 5 videos').waitFor();
    expect(await author.getByRole('link', { name: /^First/ }).count()).toBe(0);
    await feed.getByRole('article', { name: /^First/, includeHidden: true }).waitFor({ state: 'detached' });
    await inView(feed, 'Second');

    expect((await change(videos.Third, { visibility: 'private' })).status).toBe(200);
    await author.getByText('· 4 videos').waitFor();
    await feed.getByRole('article', { name: /^Third/, includeHidden: true }).waitFor({ state: 'detached' });
    await feed.keyboard.press('ArrowDown');
    await inView(feed, 'Fourth');
    await plays(feed);

    expect((await change(videos.Fourth, { visibility: 'private' })).status).toBe(200);
    await inView(feed, 'Fifth');
    await one.getByText('There is nothing at this address').waitFor();
    const newer = neighbour.getByRole('link', { name: 'Newer' });
    await neighbour.waitForFunction(
      (id) => document.querySelector('nav a[href^="/v/"]')?.getAttribute('href') === `/v/${id}`,
      videos.Second.id,
    );
    await newer.click();
    await neighbour.getByRole('heading', { name: 'Second' }).waitFor();
  });

  webTest('does not show a video again that was deleted while the list was on its way', async () => {
    const plain = await clip('plain');
    const gone = await uploaded(api(), ann.token, plain, { title: 'Soon gone' });
    const goneLater = await uploaded(api(), ann.token, plain, { title: 'Gone later' });
    const page = await visit('about:blank');
    const { promise: isAnswered, resolve: answered } = Promise.withResolvers<void>();
    const { promise: mayCome, resolve: come } = Promise.withResolvers<void>();
    // The page reads its list once more when it begins to hear what changes.
    await page.route(/\/api\/v1\/video\?username=/, async (route) => {
      if (route.request().headers()['x-min-position'] === undefined) return route.continue();
      const response = await route.fetch();
      answered();
      await mayCome;
      await route.fulfill({ response });
    });
    const hears = heard(page, 'VideoDeleted');
    await page.goto(`/u/${ann.username}`);
    await page.getByRole('link', { name: /^Soon gone/ }).waitFor();
    await isAnswered;
    expect((await remove(gone)).status).toBe(204);
    await hears;
    await page.getByRole('link', { name: /^Soon gone/ }).waitFor({ state: 'detached' });
    const late = page.waitForResponse(/username=/);
    come();
    await (await late).finished();
    expect((await remove(goneLater)).status).toBe(204);
    await page.getByRole('link', { name: /^Gone later/ }).waitFor({ state: 'detached' });
    expect(await page.getByRole('link', { name: /^Soon gone/ }).count()).toBe(0);
  });

  webTest('plays a video of its owner further after its files have moved', async () => {
    const page = await visit(`/v/${videos.Sixth.id}`, { as: ann, expecting: [/40[34]/] });
    await plays(page);
    const source = (): Promise<string> =>
      page.locator('video').evaluate((video: HTMLVideoElement) => new URL(video.currentSrc).pathname);
    const before = await source();
    expect((await change(videos.Sixth, { visibility: 'private' })).status).toBe(200);
    await page.getByText('private', { exact: true }).waitFor();
    await page.waitForFunction(
      (path) => new URL(document.querySelector('video')!.currentSrc).pathname !== path,
      before,
    );
    await plays(page);
  });
});

/** Resolves when the page gets the first event of this type over its socket. */
function heard(page: Page, type: string): Promise<void> {
  return new Promise((resolve) => {
    page.on('websocket', (socket) =>
      socket.on('framereceived', ({ payload }) => {
        if (String(payload).includes(`"type":"${type}"`)) resolve();
      }),
    );
  });
}

/** A finger moves over the middle of the page by so many pixels. Resolves when the feed stands still at a video again. */
async function swipe(page: Page, pixels: number): Promise<void> {
  const { width, height } = page.viewportSize()!;
  const feed = await page.evaluateHandle(() => ({
    ended: new Promise<void>((resolve) => {
      document.querySelector('[role="feed"]')!.addEventListener('scrollend', () => resolve(), { once: true });
    }),
  }));
  const session = await page.context().newCDPSession(page);
  const touch = (type: 'touchStart' | 'touchMove' | 'touchEnd', ...y: number[]): Promise<unknown> =>
    session.send('Input.dispatchTouchEvent', { type, touchPoints: y.map((at) => ({ x: width / 2, y: at })) });
  const start = height / 2 - pixels / 2;
  await touch('touchStart', start);
  const steps = 20;
  for (let step = 1; step <= steps; step++) await touch('touchMove', start + (pixels * step) / steps);
  await touch('touchEnd');
  await feed.evaluate(({ ended }) => ended);
  await page.waitForFunction(() => {
    const { scrollTop, clientHeight } = document.querySelector('[role="feed"]')!;
    return scrollTop % clientHeight === 0;
  });
  await session.detach();
}
