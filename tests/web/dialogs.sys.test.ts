import { beforeAll, expect } from '@jest/globals';
import type { Locator, Page } from 'playwright-core';
import { newPerson } from '../support/systemClient.ts';
import { violationsOf } from './support/axe.ts';
import { describeWeb } from './support/describeWeb.ts';
import { fill, settled, type Content } from './support/everyPage.ts';

describeWeb('a dialog', ({ system, webTest, visit }) => {
  let content: Content;
  beforeAll(async () => {
    content = await fill(system(), await newPerson(system().apis[0]!));
  }, 120_000);

  webTest('with the events behind a number takes the focus, keeps it, and gives it back', async () => {
    const page = await visit('/studio/analytics', { as: content.author });
    await settled(page);
    await page.getByText('Numbers as a table: Views').click();
    await behavesAsDialog(page, page.getByRole('button', { name: /^\d+ Views on .*show the events$/ }).last());
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
