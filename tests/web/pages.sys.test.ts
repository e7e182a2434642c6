import { beforeAll, expect } from '@jest/globals';
import type { Page } from 'playwright-core';
import { newPerson, type Person } from '../support/systemClient.ts';
import { describeWeb } from './support/describeWeb.ts';
import { everyPage, fill, findings, ROLES, settled, type Content } from './support/everyPage.ts';
import { walk } from './support/keyboard.ts';

const NARROW = { width: 360, height: 740 };
const WIDE = { width: 1920, height: 1080 };

describeWeb('every page', ({ system, webTest, visit, admin }) => {
  let content: Content;
  let people: Readonly<Record<string, Person | undefined>>;
  beforeAll(async () => {
    const author = await newPerson(system().apis[0]!, { name: 'Ada Lovelace', username: 'ada' });
    content = await fill(system(), author);
    people = { author, admin: await admin() };
  }, 120_000);

  for (const role of ROLES) {
    webTest(
      `fits into narrow and wide windows, for the role ${role}`,
      async () => {
        const page = await visit('/', { as: people[role] });
        const found = await findings(page, everyPage[role], content, async () => {
          const wide: string[] = [];
          for (const size of [NARROW, WIDE]) {
            await page.setViewportSize(size);
            await settled(page);
            wide.push(...(await wideElements(page)));
          }
          return wide;
        });
        expect(found).toEqual({});
      },
      120_000,
    );

    webTest(
      `works with the keyboard, and without motion for those who want none, for the role ${role}`,
      async () => {
        const page = await visit('/', { as: people[role], viewport: NARROW, reducedMotion: 'reduce' });
        const found = await findings(page, everyPage[role], content, async () => {
          const { visited, ...problems } = await walk(page);
          return [
            ...(visited === 0 ? ['nothing gets the focus'] : []),
            ...Object.entries(problems).flatMap(([problem, of]) => of.map((element) => `${problem}: ${element}`)),
            ...(await movingElements(page)),
          ];
        });
        expect(found).toEqual({});
      },
      120_000,
    );
  }
});

/** What makes the page scroll sideways. A table may scroll inside its own box. */
function wideElements(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= width) return [];
    const wide = [...document.querySelectorAll('body *')].filter(
      (element) => element.getBoundingClientRect().right > width + 1,
    );
    return [
      `${document.documentElement.scrollWidth} px in ${width} px`,
      ...wide.map((each) => each.outerHTML.slice(0, 120)),
    ];
  });
}

/** What moves although the visitor asked for less motion. */
function movingElements(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    document
      .getAnimations()
      .filter(({ playState, effect }) => playState === 'running' && Number(effect?.getComputedTiming().duration) > 1)
      .map(({ effect }) => `moves: ${((effect as KeyframeEffect).target ?? document.body).outerHTML.slice(0, 120)}`),
  );
}
