import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { Instance, newPlace, REPOSITORY } from '../../support/instance.ts';
import { mustBeBuilt } from '../support/builtPage.ts';
import { painted, settled } from '../support/everyPage.ts';
import { findBrowser, launchBrowser } from '../support/findBrowser.ts';
import { videoPlays } from '../support/firstLoad.ts';
import { storageAfterLogin } from '../support/storage.ts';
import { emptyPictures, otherPictures, pictures, type Look, type Picture } from './pictures.ts';
import { makeScene, registerPeople, type Scene } from './scene.ts';

const KEPT = join(REPOSITORY, 'docs/screenshots');
const ALL_WIDTHS = [360, 768, 1920] as const;

/**
 * `npm run screenshots`: takes the pictures of docs/screenshots, of a server that it starts and fills. With `--all FOLDER` it
 * takes each page, also with nothing on it and with faults, at three widths, light and dark, as PNG. Names after it choose pages.
 */
async function main(): Promise<void> {
  const { values, positionals: names } = parseArgs({ options: { all: { type: 'string' } }, allowPositionals: true });
  const found = await findBrowser();
  if ('missing' in found) throw new Error(`no browser plays H.264 here: ${found.missing}`);
  await mustBeBuilt();
  const isChosen = ({ name }: { readonly name: string }): boolean => names.length === 0 || names.includes(name);
  await using place = await newPlace();
  await using server = await new Instance(place).ready();
  const browser = await launchBrowser(found);
  try {
    const people = await registerPeople(server);
    const { all } = values;
    const taken = { browser, server };
    if (all !== undefined)
      for (const each of emptyPictures.filter(isChosen)) await takeAll({ ...taken, shown: people }, each, all);
    const scene = await makeScene(server, people);
    if (all === undefined) await takeKept({ ...taken, shown: scene }, pictures.filter(isChosen));
    else
      for (const each of [...pictures, ...otherPictures].filter(isChosen))
        await takeAll({ ...taken, shown: scene }, each, all);
  } finally {
    await browser.close();
  }
}

interface Studio<Shown> {
  readonly browser: Browser;
  readonly server: Instance;
  readonly shown: Shown;
}

async function takeKept(studio: Studio<Scene>, chosen: readonly Picture[]): Promise<void> {
  if (chosen.length === pictures.length) await rm(KEPT, { recursive: true, force: true });
  await mkdir(KEPT, { recursive: true });
  for (const picture of chosen) {
    const { width, height = heightFor(width), scheme: colorScheme } = picture;
    // Scrollbars of phones take no room.
    const phone = width < 500 && { isMobile: true, hasTouch: true };
    const page = await open(studio, picture, { viewport: { width, height }, colorScheme, ...phone });
    const session = await page.context().newCDPSession(page);
    const { data } = await session.send('Page.captureScreenshot', { format: 'webp', quality: 82 });
    await writeFile(join(KEPT, `${picture.name}.webp`), Buffer.from(data, 'base64'));
    await page.context().close();
  }
}

/** One visit for all of them: the page follows the size of its window and the colours that the system prefers. */
async function takeAll<Shown>(studio: Studio<Shown>, look: Look<Shown>, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const page = await open(studio, look, { viewport: { width: 1440, height: 900 } });
  for (const width of ALL_WIDTHS)
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: heightFor(width) });
      await painted(page);
      if (!look.moves) await growToContent(page);
      await page.screenshot({ path: join(folder, `${look.name}-${width}-${colorScheme}.png`) });
    }
  await page.context().close();
}

const heightFor = (width: number): number => (width < 500 ? 740 : 900);

async function open<Shown>(
  { browser, server, shown }: Studio<Shown>,
  { as, path, moves = false, before, prepare }: Look<Shown>,
  options: BrowserContextOptions,
): Promise<Page> {
  const person = as(shown);
  const context = await browser.newContext({
    baseURL: server.url,
    // Videos play by themselves only for those who want motion.
    reducedMotion: moves ? 'no-preference' : 'reduce',
    ...options,
    ...(person && { storageState: await storageAfterLogin(person, server.url) }),
  });
  const page = await context.newPage();
  await before?.(page);
  await page.goto(path(shown));
  await settled(page);
  if (moves) await videoPlays(page);
  await prepare?.(page);
  await settled(page);
  return page;
}

/** Makes the window as tall as the page: what stays in place while one scrolls is then where it belongs. */
async function growToContent(page: Page): Promise<void> {
  const height = await page.evaluate(() => document.documentElement.scrollHeight);
  await page.setViewportSize({ ...page.viewportSize()!, height: Math.min(height, 2_000) });
  await painted(page);
}

await main();
