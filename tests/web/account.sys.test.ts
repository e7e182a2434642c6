import { describe, expect, test } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { clientName, isHandheld } from '../../web/src/pages/account/clientName.ts';
import { newPerson, type Person } from '../support/systemClient.ts';
import { violationsOf } from './support/axe.ts';
import { describeWeb } from './support/describeWeb.ts';
import { settled } from './support/everyPage.ts';

describeWeb('the account page', ({ system, webTest, visit }) => {
  const api = (): string => system().apis[0]!;
  const form = (page: Page, name: string) => page.getByRole('form', { name });
  const said = (page: Page, text: RegExp) => page.getByText(text).first().waitFor();
  const sessions = (page: Page) => page.getByRole('region', { name: 'Where you are signed in' }).getByRole('listitem');

  async function signIn(page: Page, { email, password }: Pick<Person, 'email' | 'password'>): Promise<void> {
    await page.goto('/sign-in?next=/account');
    await page.getByLabel('E-mail').fill(email);
    await page.getByLabel('Password', { exact: true }).fill(password);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText(email).waitFor();
  }

  webTest('changes name and username in every tab, and says at the field when a name is taken', async () => {
    const [ann, bob] = [await newPerson(api()), await newPerson(api())];
    const page = await visit('/account', { as: ann, expecting: [/409/] });
    const profile = form(page, 'Profile');
    await profile.getByLabel('Username').fill(bob.username);
    await profile.getByRole('button', { name: 'Save profile' }).click();
    await profile.getByText('This username is taken.').waitFor();
    expect(await page.evaluate(() => document.activeElement?.getAttribute('name'))).toBe('username');

    const other = await page.context().newPage();
    await other.goto('/account');
    await other.getByText(`@${ann.username}`).waitFor();
    await profile.getByLabel('Name', { exact: true }).fill('Ann Other');
    await profile.getByLabel('Username').fill(`${ann.username}_2`);
    await profile.getByRole('button', { name: 'Save profile' }).click();
    await said(page, /Your profile is saved/);
    for (const tab of [page, other]) {
      await tab.getByText(`@${ann.username}_2`).waitFor();
      await tab.getByText('Ann Other').waitFor();
    }
    await page.getByRole('link', { name: 'Your public page' }).click();
    await page.waitForURL(`**/u/${ann.username}_2`);
    await page.getByRole('heading', { name: 'Ann Other' }).waitFor();
  });

  webTest('changes the e-mail address with the password', async () => {
    const ann = await newPerson(api());
    const page = await visit('/account', { as: ann, expecting: [/403/] });
    const email = `new.${ann.email}`;
    const address = form(page, 'E-mail address');
    await address.getByLabel('New e-mail').fill(email);
    await address.getByLabel('Password', { exact: true }).fill('wrong-1!');
    await address.getByRole('button', { name: 'Change e-mail' }).click();
    await address.getByText('The password is wrong.').waitFor();
    await address.getByLabel('Password', { exact: true }).fill(ann.password);
    await address.getByRole('button', { name: 'Change e-mail' }).click();
    await page.getByText(email).waitFor();
    expect(await address.getByLabel('Password', { exact: true }).inputValue()).toBe('');
    await signIn(await visit('/sign-in'), { email, password: ann.password });
  });

  webTest('signs out the other browsers when the password changes, and they say so at once', async () => {
    const ann = await newPerson(api());
    const other = await visit('/sign-in', { expecting: [/401/, /WebSocket/] });
    await signIn(other, ann);
    const page = await visit('/account', { as: ann, expecting: [/400/] });
    const password = form(page, 'Password');
    await password.getByLabel('Current password', { exact: true }).fill(ann.password);
    await password.getByLabel('New password', { exact: true }).fill('short');
    await password.getByRole('button', { name: 'Change password' }).click();
    await password.getByText('The password must').waitFor();
    await password.getByLabel('New password', { exact: true }).fill('another-1!');
    await password.getByRole('button', { name: 'Change password' }).click();
    await said(page, /Your password is changed/);
    await other.getByText('Your session has ended.').waitFor();
    await signIn(other, { email: ann.email, password: 'another-1!' });
  });

  webTest('lists where one is signed in, as it happens, and signs out one of them or all others', async () => {
    const ann = await newPerson(api());
    const page = await visit('/account', { as: ann });
    await sessions(page).filter({ hasText: 'This one' }).waitFor();
    const before = await sessions(page).count();
    const other = await visit('/sign-in', { expecting: [/401/, /WebSocket/] });
    await signIn(other, ann);
    await sessions(page).nth(before).waitFor();
    await sessions(page)
      .first()
      .filter({ hasText: /Chrome on/ })
      .waitFor();
    await sessions(page)
      .first()
      .getByRole('button', { name: /^Sign out/ })
      .click();
    await said(page, /is signed out\./);
    await other.getByText('Your session has ended.').waitFor();
    await sessions(page).nth(before).waitFor({ state: 'detached' });

    await page.getByRole('button', { name: 'Sign out everywhere else' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Sign out', exact: true }).click();
    await said(page, /You are signed out everywhere else/);
    await sessions(page).nth(1).waitFor({ state: 'detached' });
    await sessions(page).filter({ hasText: 'This one' }).waitFor();
  });

  webTest('gives the user all data as a file, and deletes the account after asking once', async () => {
    const ann = await newPerson(api());
    const page = await visit('/account', { as: ann, expecting: [/401/, /403/, /WebSocket/] });
    const other = await page.context().newPage();
    await other.goto('/account');
    await other.getByText(ann.email).waitFor();
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Download my data' }).click();
    const { profile } = JSON.parse(await readFile(await (await download).path(), 'utf8')) as { profile: object };
    expect(profile).toMatchObject({ email: ann.email });

    await page.getByRole('button', { name: 'Delete my account' }).click();
    const dialog = page.getByRole('dialog', { name: 'Delete your account?' });
    await dialog.getByText('Your videos and their files are deleted.').waitFor();
    await dialog.getByLabel('Password', { exact: true }).fill('wrong-1!');
    await dialog.getByRole('button', { name: 'Delete my account' }).click();
    await dialog.getByText('The password is wrong.').waitFor();
    expect(await violationsOf(page)).toEqual([]);
    await dialog.getByLabel('Password', { exact: true }).fill(ann.password);
    await dialog.getByRole('button', { name: 'Delete my account' }).click();
    await page.getByText('Your account is deleted.').waitFor();
    await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Sign in' }).waitFor();
    await other.getByText('You are signed out').waitFor();
    await other.goto('/sign-in');
    await other.getByLabel('E-mail').fill(ann.email);
    await other.getByLabel('Password', { exact: true }).fill(ann.password);
    await other.getByRole('button', { name: 'Sign in' }).click();
    await other
      .getByRole('alert')
      .filter({ hasText: /password/ })
      .waitFor();
  });

  webTest('has no fault that axe finds, in light and dark, also with errors shown', async () => {
    const ann = await newPerson(api());
    for (const colorScheme of ['light', 'dark'] as const) {
      const page = await visit('/account', { as: ann, colorScheme, expecting: [/400/] });
      await settled(page);
      await form(page, 'Password').getByRole('button', { name: 'Change password' }).click();
      await form(page, 'Password').locator('[aria-invalid="true"]').first().waitFor();
      expect(await violationsOf(page)).toEqual([]);
    }
  });
});

describe('the name of a client', () => {
  test.each([
    ['Mozilla/5.0 (X11; Linux x86_64; rv:141.0) Gecko/20100101 Firefox/141.0', 'Firefox on Linux', false],
    [
      'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1',
      'Safari on iOS',
      true,
    ],
    [
      'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36 Edg/138.0.0.0',
      'Edge on Windows',
      false,
    ],
    [
      'Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Mobile Safari/537.36',
      'Chrome on Android',
      true,
    ],
    ['curl/8.14.1', 'curl', false],
    [null, 'Unknown client', false],
  ])('%s is %s', (userAgent, name, handheld) => {
    expect([clientName(userAgent), isHandheld(userAgent)]).toEqual([name, handheld]);
  });
});
