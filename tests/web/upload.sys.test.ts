import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { beforeAll, expect } from '@jest/globals';
import type { Page } from 'playwright-core';
import { clip } from '../support/clips.ts';
import { call, newPerson, type Video } from '../support/systemClient.ts';
import { violationsOf } from './support/axe.ts';
import { describeWeb } from './support/describeWeb.ts';

describeWeb('the page that uploads videos', ({ system, webTest, visit }) => {
  const api = (): string => system().apis[0]!;
  let plain: string;
  beforeAll(async () => {
    plain = await clip('plain');
  });

  webTest(
    'sends several files with what their uploader says of them, and follows them until they are ready',
    async () => {
      const ann = await newPerson(api());
      const page = await visit('/studio/upload', { as: ann, expecting: [/status of 415/] });
      const movie = await readFile(plain);
      await page.getByLabel('Choose videos').setInputFiles([
        { name: 'swim.mp4', mimeType: 'video/mp4', buffer: movie },
        { name: 'notes.mp4', mimeType: 'video/mp4', buffer: Buffer.alloc(5_000, 'text ') },
      ]);
      const card = (name: string) => page.getByRole('listitem').filter({ hasText: name });
      await card('swim.mp4').getByLabel('Title').fill('Morning swim');
      await card('swim.mp4').getByLabel('Description').fill('In the lake');
      await card('swim.mp4').getByLabel('Who can see it').selectOption('private');
      expect(await violationsOf(page)).toEqual([]);
      await page.getByRole('button', { name: 'Upload all 2' }).click();
      await card('swim.mp4').getByText('Ready').waitFor();
      await card('notes.mp4').getByText('Refused').waitFor();
      expect(await card('notes.mp4').getByRole('alert').textContent()).toMatch(/MP4/);
      const { data } = await call<Video[]>(api(), 'GET', '/api/v1/video/mine', { token: ann.token });
      expect(data).toMatchObject([
        { title: 'Morning swim', description: 'In the lake', visibility: 'private', status: 'ready' },
      ]);
    },
  );

  webTest(
    'goes on with a large file after the server was killed and the page was loaded again',
    async () => {
      const ann = await newPerson(api());
      const page = await visit('/studio/upload', {
        as: ann,
        expecting: [/ERR_|status of (?:409|423|5\d\d)/, /Failed to load/, /WebSocket connection .* failed/],
      });
      const path = await largeMovie();
      try {
        await page.getByLabel('Choose videos').setInputFiles(path);
        // The network is slow, so that there is a middle.
        const network = await page.context().newCDPSession(page);
        await network.send('Network.enable');
        await network.send('Network.emulateNetworkConditions', {
          offline: false,
          latency: 0,
          downloadThroughput: -1,
          uploadThroughput: 12 * 1024 * 1024,
        });
        await page.getByRole('button', { name: 'Upload', exact: true }).click();
        await shows(page, 30);
        const [server] = system().playing('api');
        await server!.end('SIGKILL');
        await server!.start();
        await page.reload();
        const card = page.getByRole('listitem').filter({ hasText: 'large.mp4' });
        await card.getByText('Ready').waitFor({ timeout: 90_000 });
      } finally {
        await rm(dirname(path), { recursive: true });
      }
      const { data } = await call<Video[]>(api(), 'GET', '/api/v1/video/mine', { token: ann.token });
      expect(data).toMatchObject([{ title: 'large', status: 'ready' }]);
      const { data: left } = await call<unknown[]>(api(), 'GET', '/api/v1/uploads', { token: ann.token });
      expect(left).toEqual([]);
    },
    180_000,
  );
});

/** A movie of nearly 50 MB in a file: a short one, and room that players skip. */
async function largeMovie(): Promise<string> {
  const room = Buffer.alloc(49 * 1024 * 1024);
  room.writeUInt32BE(room.length, 0);
  room.write('free', 4);
  const folder = await mkdtemp(join(tmpdir(), 'upload-page-'));
  const path = join(folder, 'large.mp4');
  await writeFile(path, Buffer.concat([await readFile(await clip('plain')), room]));
  return path;
}

/** Waits until the page says that so many percent were sent. */
async function shows(page: Page, percent: number): Promise<void> {
  await page.waitForFunction(
    (least) => Number(document.querySelector('progress')?.getAttribute('value') ?? 0) >= least,
    percent,
  );
}
