import { beforeAll } from '@jest/globals';
import { clip } from '../support/clips.ts';
import { newPerson, setLike, uploaded, type Person, type Video } from '../support/systemClient.ts';
import type { SystemProcess } from '../support/systemProcess.ts';
import { describeWeb } from './support/describeWeb.ts';
import { current, inView, plays } from './support/player.ts';

/** What the console of a browser says about a server that is away. */
const AWAY = [
  /ERR_/,
  /The server cannot be reached/,
  /Failed to (?:load|fetch)/,
  /WebSocket connection .* failed/,
  /^request: /,
];

describeWeb('while the server is away', ({ system, webTest, visit }) => {
  const api = (): string => system().apis[0]!;
  const server = (): SystemProcess => system().playing('api')[0]!;
  let ann: Person;
  let [older, newer] = [] as unknown as [Video, Video];
  beforeAll(async () => {
    ann = await newPerson(api());
    const plain = await clip('plain');
    older = await uploaded(api(), ann.token, plain, { title: 'Older one' });
    newer = await uploaded(api(), ann.token, plain, { title: 'Newer one' });
  }, 120_000);

  webTest('the feed keeps what it has, says what was not saved, and hears of new videos afterwards', async () => {
    const page = await visit('/', { as: ann, expecting: AWAY });
    await inView(page, 'Newer one');
    await plays(page);
    await current(page).getByRole('button', { name: 'Like, 0 likes' }).waitFor();
    await server().end('SIGKILL');
    await page.keyboard.press('l');
    await page.getByText('Your like was not saved. The server cannot be reached.').waitFor();
    await current(page).getByRole('button', { name: 'Like, 0 likes', pressed: false }).waitFor();
    await page.keyboard.press('ArrowDown');
    await inView(page, 'Older one');
    await server().start();
    await uploaded(api(), ann.token, await clip('plain'), { title: 'After it' });
    await page.getByRole('button', { name: '1 new video' }).click();
    await inView(page, 'After it');
    await plays(page);
    await page.keyboard.press('l');
    await current(page).getByRole('button', { name: 'Like, 1 like', pressed: true }).waitFor();
  });

  webTest('a video says so, and goes on by itself, with its counts live', async () => {
    const page = await visit(`/v/${newer.id}`, { expecting: AWAY });
    await plays(page);
    await server().end('SIGKILL');
    await page.getByRole('link', { name: 'Older' }).click();
    await page.getByText('The server cannot be reached.').waitFor();
    await server().start();
    await page.getByRole('heading', { name: 'Older one' }).waitFor();
    await plays(page);
    await setLike(api(), older.id, ann.token);
    await page.getByRole('button', { name: 'Like, 1 like' }).waitFor();
  });

  webTest('a page whose code is not there yet says so, and opens by itself', async () => {
    const page = await visit('/', { expecting: AWAY });
    await plays(page);
    await server().end('SIGKILL');
    await page.getByRole('link', { name: 'Sign in' }).click();
    await page.getByText('The server cannot be reached.').waitFor();
    await server().start();
    await page.getByLabel('E-mail').fill(ann.email);
    await page.getByLabel('Password', { exact: true }).fill(ann.password);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('link', { name: 'Studio', exact: true }).waitFor();
  });
});
