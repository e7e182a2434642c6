import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Browser, Page } from 'playwright-core';
import { Instance, newPlace, REPOSITORY } from '../../support/instance.ts';
import { mustBeBuilt } from '../support/builtPage.ts';
import { settled } from '../support/everyPage.ts';
import { findBrowser, launchBrowser } from '../support/findBrowser.ts';
import { videoPlays } from '../support/firstLoad.ts';
import { storageAfterLogin } from '../support/storage.ts';
import { pictures, type Picture } from './pictures.ts';
import { makeScene, type Scene } from './scene.ts';

const KEPT = join(REPOSITORY, 'docs/screenshots');
const WIDTHS = [360, 768, 1440] as const;

type Scheme = 'light' | 'dark';

/**
 * `npm run screenshots`: takes the pictures of docs/screenshots, of a server that it starts and fills. With `--all FOLDER` it
 * takes each page at three widths, light and dark, as PNG; names after it choose pages.
 */
async function main(): Promise<void> {
  const { values, positionals: names } = parseArgs({ options: { all: { type: 'string' } }, allowPositionals: true });
  const found = await findBrowser();
  if ('missing' in found) throw new Error(`no browser plays H.264 here: ${found.missing}`);
  await mustBeBuilt();
  await using place = await newPlace();
  await using server = await new Instance(place).ready();
  const scene = await makeScene(server);
  const browser = await launchBrowser(found);
  try {
    const chosen = pictures.filter(({ name }) => names.length === 0 || names.includes(name));
    if (values.all === undefined) await takeKept(browser, server, scene, chosen);
    else await takeAll(browser, server, scene, chosen, values.all);
  } finally {
    await browser.close();
  }
}

async function takeKept(browser: Browser, server: Instance, scene: Scene, chosen: readonly Picture[]): Promise<void> {
  if (chosen.length === pictures.length) await rm(KEPT, { recursive: true, force: true });
  await mkdir(KEPT, { recursive: true });
  for (const picture of chosen) {
    const page = await open(browser, server, scene, picture, picture.width, picture.scheme);
    const session = await page.context().newCDPSession(page);
    const { data } = await session.send('Page.captureScreenshot', { format: 'webp', quality: 82 });
    await writeFile(join(KEPT, `${picture.name}.webp`), Buffer.from(data, 'base64'));
    await page.context().close();
  }
}

async function takeAll(
  browser: Browser,
  server: Instance,
  scene: Scene,
  chosen: readonly Picture[],
  folder: string,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const picture of chosen)
    for (const scheme of ['light', 'dark'] as const)
      for (const width of WIDTHS) {
        const page = await open(browser, server, scene, picture, width, scheme);
        await growToContent(page);
        await page.screenshot({
          path: join(folder, `${picture.name}-${width}-${scheme}.png`),
          fullPage: !picture.moves,
        });
        await page.context().close();
      }
}

async function open(
  browser: Browser,
  server: Instance,
  scene: Scene,
  { as, path, moves = false, prepare }: Picture,
  width: number,
  colorScheme: Scheme,
): Promise<Page> {
  const person = as(scene);
  const context = await browser.newContext({
    baseURL: server.url,
    colorScheme,
    // Videos play by themselves only for those who want motion.
    reducedMotion: moves ? 'no-preference' : 'reduce',
    // Scrollbars of phones take no room.
    ...(width < 500 && { isMobile: true, hasTouch: true }),
    viewport: { width, height: width < 500 ? 740 : 900 },
    ...(person && { storageState: await storageAfterLogin(person, server.url) }),
  });
  const page = await context.newPage();
  await page.goto(path(scene));
  await settled(page);
  if (moves) await videoPlays(page);
  await prepare?.(page);
  await settled(page);
  return page;
}

/** Makes the window as tall as the page: what stays in place while one scrolls is then where it belongs. */
async function growToContent(page: Page): Promise<void> {
  const height = await page.evaluate(() => document.documentElement.scrollHeight);
  await page.setViewportSize({ ...page.viewportSize()!, height: Math.min(height, 3_000) });
  await settled(page);
}

await main();
