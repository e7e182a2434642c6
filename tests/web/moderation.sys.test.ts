import { beforeAll, expect } from '@jest/globals';
import type { Locator, Page } from 'playwright-core';
import { clip } from '../support/clips.ts';
import { call, newPerson, uploaded, type Person, type Video } from '../support/systemClient.ts';
import { violationsOf } from './support/axe.ts';
import { describeWeb } from './support/describeWeb.ts';
import { current, inView } from './support/player.ts';

describeWeb('moderation on the page', ({ system, webTest, visit, admin }) => {
  const api = (): string => system().apis[0]!;
  let [moderator, author, viewer] = [] as unknown as [Person, Person, Person];
  let plain: string;
  beforeAll(async () => {
    plain = await clip('plain');
    [moderator, author, viewer] = [await admin(), await newPerson(api()), await newPerson(api())];
  }, 120_000);

  const report = async ({ id }: Video, { token }: Person): Promise<void> => {
    const json = { reason: 'spam', text: 'Third time today.' };
    expect((await call(api(), 'POST', `/api/v1/video/${id}/reports`, { token, json })).status).toBe(201);
  };
  const openCase = ({ id }: Video): Promise<Page> => visit(`/operator/reports?video=${id}`, { as: moderator });

  webTest(
    'viewers report a video, a moderator hides, shows and removes it, and its author reads why',
    async () => {
      const video = await uploaded(api(), author.token, plain, { title: 'Whose door is it' });
      const page = await visit(`/v/${video.id}`, { as: viewer, expecting: [/404/] });
      const stranger = await visit('/', { expecting: [/404/] });
      await inView(stranger, 'Whose door is it');

      await page.getByRole('button', { name: 'Report' }).click();
      const dialog = page.getByRole('dialog', { name: 'Report this video' });
      await dialog.getByRole('radio', { name: 'Harassment or private data' }).check();
      await dialog.getByLabel('What should moderators know?').fill('My phone number is on the door.');
      expect(await violationsOf(page)).toEqual([]);
      await dialog.getByRole('button', { name: 'Report' }).click();
      await page.getByText('Video reported successfully').waitFor();
      await dialog.waitFor({ state: 'detached' });
      await page.getByRole('button', { name: 'Report' }).click();
      await dialog.getByRole('radio', { name: 'Spam or deception' }).check();
      await dialog.getByRole('button', { name: 'Report' }).click();
      await page.getByText('You have reported this video already').waitFor();

      const operator = await visit('/operator/reports', { as: moderator });
      await operator.getByText('My phone number is on the door.').waitFor();
      expect(await violationsOf(operator)).toEqual([]);
      await operator.getByRole('link', { name: 'Look at it: Whose door is it' }).click();
      await operator.getByText('1 report: Harassment or private data').waitFor();
      expect(await violationsOf(operator)).toEqual([]);

      const studio = await visit('/studio', { as: author, expecting: [/404/] });
      const row = studio.getByRole('listitem').filter({ hasText: 'Whose door is it' });
      await row.getByText('Public').waitFor();
      await decide(operator, 'Hide', 'It shows a phone number.');
      await operator.getByText('hidden', { exact: true }).waitFor();
      await row.getByText('Hidden by a moderator').waitFor();
      await row.getByText('It shows a phone number.').waitFor();
      await current(stranger).filter({ hasText: 'Whose door is it' }).waitFor({ state: 'detached' });
      await page.getByText('There is nothing').waitFor();
      await row.getByRole('link', { name: 'Edit Whose door is it' }).click();
      await studio.getByRole('alert').getByText('Nobody but you sees it.').waitFor();
      expect(await violationsOf(studio)).toEqual([]);

      await decide(operator, 'Show again', 'The number is blurred now.');
      await studio.getByText('Nobody but you sees it.').waitFor({ state: 'detached' });
      await studio.getByText('Shown again by a moderator').waitFor();
      await studio.getByRole('link', { name: 'All videos' }).click();

      await decide(operator, 'Remove', 'Another number is in it.');
      await row.getByText('Removed by a moderator').waitFor();
      await row.getByText('Another number is in it.').waitFor();
      expect(await row.getByRole('link').count()).toBe(0);
      const decisions = operator.getByRole('region', { name: 'Decisions' }).getByRole('listitem');
      expect(await decisions.locator('strong').allTextContents()).toEqual(['Hidden', 'Shown again', 'Removed']);
      expect(await operator.getByRole('button', { name: 'Hide' }).count()).toBe(0);
      await operator.getByRole('link', { name: 'All reports' }).click();
      await operator
        .getByRole('listitem')
        .filter({ hasText: 'Whose door is it' })
        .getByText('removed', { exact: true })
        .waitFor();
    },
    120_000,
  );

  webTest('reports are dismissed with a reason, and the video stays', async () => {
    const video = await uploaded(api(), author.token, plain, { title: 'Harmless' });
    await report(video, viewer);
    const page = await openCase(video);
    await page.getByRole('button', { name: 'Dismiss the reports' }).click();
    const dialog = page.getByRole('dialog');
    // Nothing is sent without a reason.
    await dialog.getByRole('button', { name: 'Dismiss the reports' }).click();
    expect(await dialog.isVisible()).toBe(true);
    await page.keyboard.press('Escape');
    await decide(page, 'Dismiss the reports', 'It is not spam.');
    await page.getByRole('region', { name: 'Decisions' }).getByText('It is not spam.').waitFor();
    await page.getByText('public', { exact: true }).waitFor();
    expect(await page.getByRole('button', { name: 'Dismiss the reports' }).count()).toBe(0);
  });

  webTest('a suspended author is signed out at once, and reads the reason at the next sign-in', async () => {
    const carl = await newPerson(api());
    const video = await uploaded(api(), carl.token, plain, { title: 'Again and again' });
    await report(video, viewer);
    const page = await visit('/account', { as: carl, expecting: [/401/, /403/, /WebSocket/] });
    await page.getByText(carl.email).waitFor();
    const operator = await openCase(video);
    await decide(operator, 'Suspend the author', 'Three warnings were enough.');
    await operator.getByText('author suspended').waitFor();
    await page.getByText('Your session has ended.').waitFor();
    await page.goto('/sign-in?next=/account');
    await signIn(page, carl);
    await page.getByRole('alert').getByText('Three warnings were enough.').waitFor();
    expect(await violationsOf(page)).toEqual([]);
    await decide(operator, 'End the suspension', 'A fourth warning.');
    await operator.getByText('author suspended').waitFor({ state: 'detached' });
    await signIn(page, carl);
    await page.getByText(carl.email).waitFor();
  });
});

/** Answers the question that an action asks. */
async function decide(page: Page, action: string, reason: string): Promise<void> {
  await page.getByRole('button', { name: action }).click();
  const dialog: Locator = page.getByRole('dialog');
  await dialog.getByLabel('Reason').fill(reason);
  await dialog.getByRole('button', { name: action }).click();
  await dialog.waitFor({ state: 'detached' });
}

async function signIn(page: Page, { email, password }: Person): Promise<void> {
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}
