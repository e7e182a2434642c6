import { beforeAll, expect } from '@jest/globals';
import { clip } from '../support/clips.ts';
import { call, getVideo, newPerson, setLike, someone, uploaded, type Person } from '../support/systemClient.ts';
import { describeWeb } from './support/describeWeb.ts';
import { LAN_NAME } from './support/findBrowser.ts';
import { current, inView, plays } from './support/player.ts';

describeWeb(
  'a phone that opens the page under the name of this machine in its network',
  ({ system, webTest, visit }) => {
    const api = (): string => system().apis[0]!;
    const phone = () => ({
      at: api().replace('127.0.0.1', LAN_NAME),
      viewport: { width: 360, height: 740 },
      hasTouch: true,
      // Browsers say that this header has no effect without https.
      expecting: [/Cross-Origin-Opener-Policy/],
    });
    let ann: Person;
    let plain: string;
    beforeAll(async () => {
      [ann, plain] = [await newPerson(api()), await clip('plain')];
    }, 120_000);

    webTest('plays the videos of the server, shows what happens live, and gives links away', async () => {
      const video = await uploaded(api(), ann.token, plain, { title: 'From the computer' });
      const page = await visit('/', phone());
      // Browsers give such pages no locks, no clipboard and no random ids.
      expect(await page.evaluate(() => isSecureContext)).toBe(false);
      await inView(page, 'From the computer');
      await plays(page);
      await setLike(api(), video.id, ann.token);
      await current(page).getByRole('button', { name: 'Like, 1 like' }).waitFor();
      await current(page).getByRole('button', { name: 'Share' }).tap();
      await page.getByText('Link copied.').waitFor();
    });

    webTest('signs up, stays signed in, and uploads', async () => {
      const bob = someone();
      const page = await visit('/sign-up?next=/studio/upload', phone());
      await page.getByLabel('Name', { exact: true }).fill(bob.name);
      await page.getByLabel('Username').fill(bob.username);
      await page.getByLabel('E-mail').fill(bob.email);
      await page.getByLabel('Password', { exact: true }).fill(bob.password);
      await page.getByRole('button', { name: 'Create account' }).click();
      await page.waitForURL(({ pathname }) => pathname === '/studio/upload');
      await page.reload();
      await page.getByLabel('Choose videos').setInputFiles(plain);
      await page.getByLabel('Title').fill('From the phone');
      await page.getByRole('button', { name: 'Upload', exact: true }).click();
      await page.getByRole('main').getByRole('link', { name: 'Watch', exact: true }).click();
      await page.getByRole('heading', { name: 'From the phone' }).waitFor();
      await plays(page);
      await page.getByRole('link', { name: 'Studio', exact: true }).click();
      await page.getByRole('link', { name: 'Edit From the phone' }).click();
      await page.getByRole('heading', { name: 'Details' }).waitFor();
      const { data } = await call<{ id: string }[]>(api(), 'GET', '/api/v1/video?limit=1');
      expect((await getVideo(api(), data[0]!.id)).data.video.user.username).toBe(bob.username);
    });
  },
);
