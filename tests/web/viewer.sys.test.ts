import { beforeAll, expect } from '@jest/globals';
import type { Page } from 'playwright-core';
import { clip } from '../support/clips.ts';
import { eventually } from '../support/eventually.ts';
import { call, getVideo, newPerson, setLike, uploaded, type Video } from '../support/systemClient.ts';
import { describeWeb } from './support/describeWeb.ts';
import { current, inView, plays } from './support/player.ts';

describeWeb('the page of a viewer', ({ system, webTest, visit }) => {
  const api = (): string => system().apis[0]!;
  let plain: string;
  beforeAll(async () => {
    plain = await clip('plain');
  });

  webTest('welcomes the first visitor, who signs up, and plays the first video as soon as there is one', async () => {
    const page = await visit('/');
    await page.getByRole('link', { name: 'Create an account' }).click();
    await page.getByLabel('Name', { exact: true }).fill('Ada Lovelace');
    await page.getByLabel('Username').fill('ada');
    await page.getByLabel('E-mail').fill('ada@example.org');
    await page.getByLabel('Password', { exact: true }).fill('secret-1');
    await page.getByRole('button', { name: 'Create account' }).click();
    await page.waitForURL('**/studio/upload');
    await page.getByRole('link', { name: 'Watch' }).click();
    await page.getByText('Nothing is playing yet').waitFor();

    const ann = await newPerson(api());
    await uploaded(api(), ann.token, plain, { title: 'The first one' });
    await page.getByRole('article', { name: /The first one/ }).waitFor();
    await plays(page);
  });

  webTest('plays the video in view, goes on by keys, and has three players at most', async () => {
    const ann = await newPerson(api());
    for (const title of ['Oldest', 'Older', 'Middle', 'Newer', 'Newest'])
      await uploaded(api(), ann.token, plain, { title });
    const page = await visit('/');
    await inView(page, 'Newest');
    await plays(page);
    expect(await isMuted(page)).toBe(true);
    for (const title of ['Newer', 'Middle']) {
      await page.keyboard.press('ArrowDown');
      await inView(page, title);
      await plays(page);
    }
    expect(await page.locator('video').count()).toBe(3);
    expect(await page.evaluate(() => [...document.querySelectorAll('video')].filter((v) => !v.paused).length)).toBe(1);
    await page.keyboard.press(' ');
    await current(page).getByRole('button', { name: 'Play', exact: true }).waitFor();
    await page.keyboard.press('ArrowUp');
    await inView(page, 'Newer');
    await plays(page);
  });

  webTest(
    'plays the first video from its MP4, and later ones by HLS',
    async () => {
      const ann = await newPerson(api());
      const videos: Video[] = [];
      for (const title of ['Fourth', 'Third', 'Second', 'First'])
        videos.push(await uploaded(api(), ann.token, plain, { title }));
      await eventually(() => Promise.all(videos.map(({ id }) => getVideoUncounted(api(), id))), {
        what: 'there is HLS of each',
        within: 60_000,
        holds: (now) => now.every(({ hlsUrl, storyboardUrl }) => hlsUrl !== null && storyboardUrl !== null),
      });
      const page = await visit('/');
      const segments: string[] = [];
      page.on('request', (request) => request.url().includes('/hls-') && segments.push(request.url()));
      await inView(page, 'First');
      await plays(page);
      expect(segments).toEqual([]);
      const hls = page.waitForResponse((response) => response.url().includes('/assets/hls'));
      await page.keyboard.press('ArrowDown');
      await inView(page, 'Second');
      await plays(page);
      await hls;
      for (const title of ['Third', 'Fourth']) {
        await page.keyboard.press('ArrowDown');
        await inView(page, title);
        await plays(page);
      }
      expect(segments.some((url) => url.includes(videos[0]!.id))).toBe(true);
      expect(
        await current(page)
          .locator('video')
          .evaluate((video: HTMLVideoElement) => video.currentSrc),
      ).toMatch(/^blob:/);
      // The moment under the pointer has a picture.
      await page.keyboard.press(' ');
      await current(page).getByRole('slider', { name: 'Seek' }).hover();
      await current(page).locator('[style*="storyboard-"]').waitFor();
    },
    120_000,
  );

  webTest('plays sound after a gesture, and remembers the choice', async () => {
    const page = await visit('/');
    await plays(page);
    await page.keyboard.press('m');
    await current(page).getByRole('button', { name: 'Sound', pressed: true }).waitFor();
    expect(await isMuted(page)).toBe(false);
    await page.reload();
    await plays(page);
    await page.keyboard.press('Shift');
    await current(page).getByRole('button', { name: 'Sound', pressed: true }).waitFor();
  });

  webTest('moves the count of likes at once, and back if the server refuses', async () => {
    const ann = await newPerson(api());
    const video = await uploaded(api(), ann.token, plain, { title: 'To be liked' });
    const page = await visit(`/v/${video.id}`, { as: ann, expecting: [/503/] });
    const like = (count: number, pressed: boolean) =>
      page.getByRole('button', { name: `Like, ${count} like`, pressed }).waitFor();
    await like(0, false);
    await page.getByRole('button', { name: /^(?:Play|Pause)$/ }).dblclick();
    await like(1, true);
    await eventually(async () => (await getVideo(api(), video.id, { token: ann.token })).data, {
      what: 'the like is saved',
      holds: ({ isLiked }) => isLiked,
    });
    // Another double tap does not take it back; the key does.
    await page.getByRole('button', { name: /^(?:Play|Pause)$/ }).dblclick();
    await like(1, true);

    const { promise: answers, resolve: refuse } = Promise.withResolvers<void>();
    await page.route('**/like', async (route) => {
      await answers;
      await route.fulfill({ status: 503, json: { success: false, message: 'Not now.', code: 'unavailable' } });
    });
    await page.keyboard.press('l');
    await like(0, false);
    refuse();
    await like(1, true);
    await page.getByText('Your like was not saved').waitFor();
  });

  webTest('shows a like that was given before it is known whether there was one', async () => {
    const ann = await newPerson(api());
    const video = await uploaded(api(), ann.token, plain, { title: 'To be liked early' });
    const page = await visit('about:blank', { as: ann });
    const { promise: mayCome, resolve: come } = Promise.withResolvers<void>();
    await page.route(`**/api/v1/video/${video.id}`, async (route) => {
      const response = await route.fetch();
      await mayCome;
      await route.fulfill({ response });
    });
    await page.goto('/');
    await inView(page, 'To be liked early');
    await plays(page);
    const saved = page.waitForResponse('**/like');
    await page.keyboard.press('l');
    await (await saved).finished();
    come();
    await current(page).getByRole('button', { name: 'Like, 1 like', pressed: true }).waitFor();
  });

  webTest('keeps a like when an answer from before it comes late, and misses no like of others meanwhile', async () => {
    const [ann, bob] = [await newPerson(api()), await newPerson(api())];
    const video = await uploaded(api(), ann.token, plain, { title: 'To be liked by both' });
    const page = await visit(`/v/${video.id}`, { as: ann, expecting: [/503/] });
    const likes = (name: string, pressed: boolean) => page.getByRole('button', { name, pressed }).waitFor();
    await likes('Like, 0 likes', false);

    // The page reads the video again because Bob likes it. Ann's like is answered before that.
    const { promise: mayCome, resolve: come } = Promise.withResolvers<void>();
    const { promise: isRead, resolve: read } = Promise.withResolvers<void>();
    let readings = 0;
    await page.route(`**/api/v1/video/${video.id}?view=false`, async (route) => {
      const response = await route.fetch();
      readings++;
      read();
      await mayCome;
      await route.fulfill({ response });
    });
    await setLike(api(), video.id, bob.token);
    await isRead;
    const answered = page.waitForResponse('**/like');
    await page.keyboard.press('l');
    await (await answered).finished();
    await likes('Like, 2 likes', true);
    const shown = page.evaluate(() => {
      const names: string[] = [];
      const button = document.querySelector('[aria-label^="Like, "]')!;
      new MutationObserver(() => names.push(button.getAttribute('aria-label')!)).observe(button, { attributes: true });
      return new Promise<string[]>((resolve) => Object.assign(globalThis, { endOfTest: () => resolve(names) }));
    });
    come();
    await eventually(() => readings, { what: 'the page has read again', holds: (count) => count >= 2 });

    // While the answer to Ann is awaited, Bob takes his like back. Ann's wish is refused.
    const { promise: answers, resolve: refuse } = Promise.withResolvers<void>();
    await page.route('**/like', async (route) => {
      await answers;
      await route.fulfill({ status: 503, json: { success: false, message: 'Not now.', code: 'unavailable' } });
    });
    await page.keyboard.press('l');
    await likes('Like, 1 like', false);
    await call(api(), 'DELETE', `/api/v1/video/${video.id}/like`, { token: bob.token });
    refuse();
    await page.getByText('Your like was not saved').waitFor();
    await eventually(() => page.getByRole('button', { name: 'Like, 1 like', pressed: true }).count(), {
      what: 'the page shows that only Ann likes the video',
    });
    await page.evaluate(() => (globalThis as unknown as { endOfTest(): void }).endOfTest());
    expect(await shown).toEqual(['Like, 1 like', 'Like, 2 likes', 'Like, 1 like']);
  });

  webTest('asks strangers to sign in before they like, and shows the likes of others live', async () => {
    const ann = await newPerson(api());
    const video = await uploaded(api(), ann.token, plain, { title: 'Liked by others' });
    const page = await visit(`/v/${video.id}`);
    await page.getByRole('button', { name: 'Like, 0 likes' }).click();
    await page.getByRole('button', { name: 'Sign in' }).waitFor();
    const views = async (): Promise<number> => (await getVideoUncounted(api(), video.id)).viewCount;
    await eventually(views, { what: 'the view is counted', holds: (count) => count === 1 });
    await setLike(api(), video.id, ann.token);
    await page.getByRole('button', { name: 'Like, 1 like' }).waitFor();
    // Reading the counts again is no view.
    expect(await views()).toBe(1);
  });

  webTest('says quietly that there are new videos, and misses nothing before it is connected', async () => {
    const ann = await newPerson(api());
    const known = await uploaded(api(), ann.token, plain, { title: 'Known' });
    const page = await visit('about:blank');
    const { promise: mayConnect, resolve: connect } = Promise.withResolvers<void>();
    await page.routeWebSocket(/socket\.io/, async (socket) => {
      await mayConnect;
      socket.connectToServer();
    });
    const firstReading = page.waitForResponse(`**/api/v1/video/${known.id}`);
    await page.goto('/');
    await inView(page, 'Known');
    await (await firstReading).finished();
    await setLike(api(), known.id, ann.token);
    await uploaded(api(), ann.token, plain, { title: 'Fresh' });
    expect(await current(page).getByRole('button', { name: 'Like, 0 likes' }).count()).toBe(1);
    connect();
    await current(page).getByRole('button', { name: 'Like, 1 like' }).waitFor();
    await page.getByRole('button', { name: '1 new video' }).click();
    await inView(page, 'Fresh');
    await uploaded(api(), ann.token, plain, { title: 'Fresher' });
    await page.getByRole('button', { name: '1 new video' }).click();
    await inView(page, 'Fresher');
  });

  webTest('goes on with a new address when that of a private video has ended', async () => {
    const ann = await newPerson(api());
    const { id } = await uploaded(api(), ann.token, plain, { title: 'For me', visibility: 'private' });
    const page = await visit('about:blank', { as: ann, expecting: [/40[34]/] });
    // Only the answer that counts a view has addresses that have ended.
    let ended = (url: string): boolean => !url.includes('view=false');
    await page.route(`**/api/v1/video/${id}*`, async (route) => {
      const response = await route.fetch();
      if (!ended(route.request().url())) return route.fulfill({ response });
      const signature = /private\/\d+\.[\w-]{43}/g;
      const body = (await response.text()).replaceAll(signature, `private/1000000000.${'A'.repeat(43)}`);
      return route.fulfill({ response, body });
    });
    await page.goto(`/v/${id}`);
    await plays(page);

    ended = () => true;
    await page.reload();
    await page.getByText('This video cannot be played right now.').waitFor();
    ended = () => false;
    await page.getByRole('button', { name: 'Try again' }).click();
    await plays(page);
  });

  webTest('leads to the neighbours of a video and to its author', async () => {
    const ann = await newPerson(api());
    await uploaded(api(), ann.token, plain, { title: 'Before' });
    const video = await uploaded(api(), ann.token, plain, { title: 'After' });
    const page = await visit(`/v/${video.id}`);
    await page.getByRole('heading', { name: 'After' }).waitFor();
    await plays(page);
    await page.getByRole('link', { name: 'Older' }).click();
    await page.getByRole('heading', { name: 'Before' }).waitFor();
    await page.getByRole('link', { name: `@${ann.username}` }).click();
    await page.getByText(`@${ann.username} · 2 videos`).waitFor();
    await page.getByRole('link', { name: /^After/ }).click();
    await page.waitForURL(`**/v/${video.id}`);
  });

  webTest('does not play by itself for people who want no motion', async () => {
    const page = await visit('/', { reducedMotion: 'reduce' });
    await current(page).getByRole('button', { name: 'Play', exact: true }).click();
    await plays(page);
  });

  webTest('says that there is nothing at a wrong address', async () => {
    const missing = { expecting: [/404/] };
    await (await visit('/v/01980a41-7d93-7a08-8f5b-2c9e4a6d1b30', missing)).getByText('There is nothing').waitFor();
    await (await visit('/u/nobody-at-all', missing)).getByText('Nobody has this name').waitFor();
  });
});

function isMuted(page: Page): Promise<boolean> {
  return current(page)
    .locator('video')
    .evaluate((video: HTMLVideoElement) => video.muted);
}

async function getVideoUncounted(base: string, videoId: string): Promise<Video> {
  return (await call<{ video: Video }>(base, 'GET', `/api/v1/video/${videoId}?view=false`)).data.video;
}
