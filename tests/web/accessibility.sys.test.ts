import { beforeAll, expect } from '@jest/globals';
import type { Locator, Page } from 'playwright-core';
import { newPerson, type Person } from '../support/systemClient.ts';
import { violationsOf } from './support/axe.ts';
import { describeWeb } from './support/describeWeb.ts';
import { emptyPages, everyPage, fill, findings, ROLES, settled, type Content } from './support/everyPage.ts';

/** What depends on colours. */
const COLOURS = ['color-contrast', 'link-in-text-block'];
/** What depends on the width of the window. */
const LAYOUT = ['color-contrast', 'target-size', 'scrollable-region-focusable'];

describeWeb('every page keeps the rules of WCAG 2.2 AA', ({ system, webTest, visit, admin }) => {
  let people: Readonly<Record<string, Person | undefined>>;
  let content: Content;
  beforeAll(async () => {
    const author = await newPerson(system().apis[0]!, { name: 'Ada Lovelace', username: 'ada' });
    people = { author, admin: await admin() };
  });
  const looks = { reducedMotion: 'reduce' } as const;

  const check = async (page: Page): Promise<string[]> => {
    await page.emulateMedia({ colorScheme: 'light' });
    await page.setViewportSize({ width: 1280, height: 800 });
    await settled(page);
    const light = await violationsOf(page);
    await page.emulateMedia({ colorScheme: 'dark' });
    await settled(page);
    const dark = await violationsOf(page, COLOURS);
    await page.setViewportSize({ width: 360, height: 740 });
    await settled(page);
    return [...light, ...dark.map((each) => `dark: ${each}`), ...(await violationsOf(page, LAYOUT))];
  };

  for (const role of ROLES)
    webTest(`while there is nothing to show, for the role ${role}`, async () => {
      const page = await visit('/', { as: people[role], ...looks });
      const empty = { author: people['author'] } as Content;
      expect(await findings(page, emptyPages[role], empty, check)).toEqual({});
    });

  webTest('with an address that leads nowhere', async () => {
    const page = await visit('/studio/nothing', { as: people['author'], ...looks });
    expect(await check(page)).toEqual([]);
  });

  webTest('in the documentation', async () => {
    const page = await visit('/docs', looks);
    await page.getByRole('button', { name: /Register a user/ }).waitFor();
    expect(await check(page)).toEqual([]);
    await page.goto('/docs/realtime');
    expect(await check(page)).toEqual([]);
  });

  for (const role of ROLES)
    webTest(
      `with content, for the role ${role}`,
      async () => {
        content ??= await fill(system(), people['author']!);
        const page = await visit('/', { as: people[role], ...looks });
        expect(await findings(page, everyPage[role], content, check)).toEqual({});
      },
      120_000,
    );

  webTest('a dialog takes the focus, keeps it, and gives it back', async () => {
    content ??= await fill(system(), people['author']!);
    const page = await visit('/studio/analytics', { as: people['author'] });
    await settled(page);
    await page.getByText('Numbers as a table: Views').click();
    await behavesAsDialog(page, page.getByRole('button', { name: /^\d+ Views on .*show the events$/ }).last());
    await page.goto('/account');
    await settled(page);
    await behavesAsDialog(page, page.getByRole('button', { name: 'Delete my account' }));
    const reader = await visit(`/v/${content.videos[0].id}`, { as: people['admin'] });
    await settled(reader);
    await behavesAsDialog(reader, reader.getByRole('button', { name: 'Report' }));
  });
});

/** Opens it with the keyboard, and closes it with Escape. */
async function behavesAsDialog(page: Page, opener: Locator): Promise<void> {
  await opener.focus();
  await page.keyboard.press('Enter');
  const dialog = page.locator('dialog[open]');
  await dialog.waitFor();
  await settled(page);
  expect(await dialog.evaluate((element) => element.matches(':modal'))).toBe(true);
  expect(await violationsOf(page)).toEqual([]);
  for (const key of ['Tab', 'Tab', 'Tab', 'Shift+Tab', 'Shift+Tab', 'Shift+Tab', 'Shift+Tab']) {
    // Between the last element and the first, the focus is on the browser itself.
    const focus = await page.evaluate(() =>
      document.activeElement === document.body ? 'browser' : document.activeElement?.closest('dialog')?.open,
    );
    expect(['browser', true]).toContain(focus);
    await page.keyboard.press(key);
  }
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'hidden' });
  expect(await opener.evaluate((element) => element === document.activeElement)).toBe(true);
}
