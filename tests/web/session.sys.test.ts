import { expect } from '@jest/globals';
import { newPerson } from '../support/systemClient.ts';
import { describeWeb } from './support/describeWeb.ts';

/** Seconds. */
const TOKEN_LIFE = 6;

describeWeb(
  'the session of a reader',
  ({ system, webTest, visit }) => {
    const api = (): string => system().apis[0]!;

    webTest('signs in, says what is wrong with the password, and goes where the reader wanted to go', async () => {
      const ann = await newPerson(api());
      const page = await visit('/account', { expecting: [/401/] });
      await page.waitForURL('**/sign-in**');
      await page.getByLabel('E-mail').fill(ann.email);
      await page.getByLabel('Password', { exact: true }).fill('wrong-1');
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page
        .getByRole('alert')
        .filter({ hasText: /password/ })
        .waitFor();
      await page.getByLabel('Password', { exact: true }).fill(ann.password);
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.getByText(ann.email).waitFor();
    });

    webTest('shows at each field what the server says about it', async () => {
      const page = await visit('/sign-up', { expecting: [/400/] });
      await page.getByLabel('Name', { exact: true }).fill('Al');
      await page.getByRole('button', { name: 'Create account' }).click();
      await page
        .getByText(/name must be at least 3|at least 3 characters/i)
        .first()
        .waitFor();
      expect(await page.locator('[aria-invalid="true"]').count()).toBeGreaterThan(1);
      expect(await page.evaluate(() => document.activeElement?.getAttribute('name'))).toBe('name');
    });

    webTest('goes on in several tabs beyond the life of a token, without a renewal that is refused', async () => {
      const ann = await newPerson(api());
      const page = await visit('/account', { as: ann });
      await page.getByText(ann.email).waitFor();
      const other = await page.context().newPage();
      await other.goto('/account');
      await other.getByText(ann.email).waitFor();
      const refused: number[] = [];
      let renewals = 0;
      for (const tab of [page, other])
        tab.on('response', (response) => {
          if (!response.url().endsWith('/refresh-token')) return;
          renewals++;
          if (!response.ok()) refused.push(response.status());
        });
      const until = Date.now() + 1.5 * TOKEN_LIFE * 1_000;
      while (Date.now() < until) {
        await Promise.all(
          [page, other].map(async (tab) => {
            await tab.getByRole('link', { name: 'Studio', exact: true }).click();
            await tab.getByRole('heading', { level: 1 }).waitFor();
            await tab.reload();
          }),
        );
      }
      await page.goto('/account');
      await page.getByText(ann.email).waitFor();
      expect(renewals).toBeGreaterThan(2);
      // A reload asks while the answer to the page before is on its way; it tries again by itself.
      expect(refused.filter((status) => status !== 409)).toEqual([]);
    });

    webTest('says in every tab that the session ended, and comes back to the same page after signing in', async () => {
      const ann = await newPerson(api());
      const page = await visit('/account', { as: ann, expecting: [/401/] });
      await page.getByText(ann.email).waitFor();
      const other = await page.context().newPage();
      await other.goto('/account');
      await other.getByText(ann.email).waitFor();
      // Another client of the same session ends it: the page hears of it at its next renewal. It is not loaded anew, because then
      // nobody would be signed in if the other tab had heard of it before.
      expect((await page.context().request.post('/api/v1/auth/logout')).status()).toBe(200);
      await page.getByRole('link', { name: 'Studio', exact: true }).click();
      await page.getByText('Your session has ended.').waitFor();
      await other.getByText('Your session has ended.').waitFor();
      await other.getByRole('link', { name: 'Sign in again' }).click();
      await other.getByLabel('E-mail').fill(ann.email);
      await other.getByLabel('Password', { exact: true }).fill(ann.password);
      await other.getByRole('button', { name: 'Sign in' }).click();
      await other.waitForURL('**/account');
      await other.getByText(ann.email).waitFor();
      await page.getByText('Your session has ended.').waitFor({ state: 'hidden' });
    });

    webTest('signs out in every tab', async () => {
      const ann = await newPerson(api());
      // The list of sessions hears that this one has ended before its tab does, and the server closes the socket.
      const page = await visit('/account', { as: ann, expecting: [/401/, /WebSocket is already in CLOSING/] });
      await page.getByText(ann.email).waitFor();
      const other = await page.context().newPage();
      await other.goto('/account');
      await other.getByText(ann.email).waitFor();
      await page.getByRole('button', { name: 'Sign out', exact: true }).click();
      await other.getByText('You are signed out').waitFor();
    });
  },
  { environment: { EXPIRES_IN: `${TOKEN_LIFE}s` } },
);
