import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { beforeAll, expect } from '@jest/globals';
import type { Locator, Page } from 'playwright-core';
import { clip } from '../support/clips.ts';
import { eventually } from '../support/eventually.ts';
import { call, newPerson, type Person, type Video } from '../support/systemClient.ts';
import { violationsOf } from './support/axe.ts';
import { damagedClip } from './support/damagedClip.ts';
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
      expect(await onceReady(ann)).toMatchObject([
        { title: 'Morning swim', description: 'In the lake', visibility: 'private', status: 'ready' },
      ]);
    },
  );

  webTest('takes files that are dropped anywhere on it', async () => {
    const ann = await newPerson(api());
    const page = await visit('/studio/upload', { as: ann });
    const zone = page.getByText('Choose videos').locator('..');
    const session = await page.context().newCDPSession(page);
    const drag = async (type: 'dragEnter' | 'dragOver' | 'drop', at: Locator): Promise<void> => {
      const { x, y } = (await at.boundingBox())!;
      const data = { items: [], files: [plain], dragOperationsMask: 1 };
      await session.send('Input.dispatchDragEvent', { type, x: x + 5, y: y + 5, data });
    };
    for (const place of [zone, page.getByRole('heading', { name: 'Upload' })]) {
      const before = await cards(page).count();
      await drag('dragEnter', place);
      await drag('dragOver', place);
      await page.locator('label[data-over]').waitFor();
      await drag('drop', place);
      await cards(page).nth(before).waitFor();
      expect(await page.locator('label[data-over]').count()).toBe(0);
    }
    await cards(page).last().getByRole('button', { name: 'Upload', exact: true }).click();
    await cards(page).last().getByText('Ready').waitFor();
    // Nobody has sent the other one.
    await cards(page).first().getByText('Not sent yet').waitFor();
  });

  webTest('forgets an upload that is cancelled, here and on the server', async () => {
    const ann = await newPerson(api());
    const page = await visit('/studio/upload', { as: ann });
    const path = await largeMovie();
    try {
      await page.getByLabel('Choose videos').setInputFiles([plain, path]);
      await cards(page).first().getByRole('button', { name: 'Cancel' }).click();
      await cards(page).nth(1).waitFor({ state: 'detached' });
      await (await networkOf(page)).throttle();
      await page.getByRole('button', { name: 'Upload', exact: true }).click();
      await shows(page, 5);
      expect(await unfinished(ann)).toMatchObject([{}]);
      await page.getByRole('button', { name: 'Cancel' }).click();
      await cards(page).waitFor({ state: 'detached' });
      await eventually(() => unfinished(ann), {
        what: 'the server has forgotten it',
        holds: (left) => left.length === 0,
      });
      await page.reload();
      await page.getByText('Choose videos').waitFor();
      expect(await cards(page).count()).toBe(0);
    } finally {
      await rm(dirname(path), { recursive: true });
    }
    expect((await call<Video[]>(api(), 'GET', '/api/v1/video/mine', { token: ann.token })).data).toEqual([]);
  });

  webTest('stops without a network, and goes on when asked to or when the network is back', async () => {
    const ann = await newPerson(api());
    const page = await visit('/studio/upload', { as: ann, expecting: [/ERR_INTERNET_DISCONNECTED/] });
    await page.getByLabel('Choose videos').setInputFiles(plain);
    const network = await networkOf(page);
    await network.cut();
    const card = cards(page).first();
    await card.getByRole('button', { name: 'Upload', exact: true }).click();
    await card.getByText('You are offline.').waitFor();
    await card.getByRole('button', { name: 'Go on' }).click();
    await card.getByText('Stopped').waitFor();
    await card.getByText('You are offline.').waitFor();
    expect(await violationsOf(page)).toEqual([]);
    await network.restore();
    await card.getByText('Ready').waitFor();
  });

  webTest('says why a video could not be processed, and tries again', async () => {
    const ann = await newPerson(api());
    const page = await visit('/studio/upload', { as: ann });
    const damaged = await damagedClip();
    try {
      await page.getByLabel('Choose videos').setInputFiles(damaged);
      await page.getByRole('button', { name: 'Upload', exact: true }).click();
      const card = cards(page).first();
      await card.getByText('it is damaged').waitFor();
      await card.getByRole('button', { name: 'Try again' }).click();
      await eventually(() => failures(ann), { what: 'it was tried again', holds: (count) => count === 2 });
      await card.getByText('it is damaged').waitFor();
    } finally {
      await rm(damaged);
    }
  });

  /** The page hears of an event before the list of somebody's videos has it. */
  const onceReady = ({ token }: Person): Promise<Video[]> =>
    eventually(async () => (await call<Video[]>(api(), 'GET', '/api/v1/video/mine', { token })).data, {
      what: 'the video is ready in the list',
      holds: (videos) => videos.some(({ status }) => status === 'ready'),
    });
  const unfinished = async ({ token }: Person): Promise<unknown[]> =>
    (await call<unknown[]>(api(), 'GET', '/api/v1/uploads', { token })).data;

  /** How often the only video of somebody could not be processed. */
  async function failures({ token }: Person): Promise<number> {
    const [video] = (await call<Video[]>(api(), 'GET', '/api/v1/video/mine', { token })).data;
    const history = await call<{ type: string }[]>(api(), 'GET', `/api/v1/video/${video!.id}/history`, { token });
    return history.data.filter(({ type }) => type === 'VideoProcessingFailed').length;
  }

  webTest('goes on with an upload whose server cannot say for a moment how much it has', async () => {
    const ann = await newPerson(api());
    const page = await visit('/studio/upload', { as: ann, expecting: [/ERR_|status of 503/, /Failed to load/] });
    const begun: string[] = [];
    page.on('request', (request) => {
      if (request.method() === 'POST' && request.url().endsWith('/api/v1/uploads')) begun.push(request.url());
    });
    const faults = { PATCH: 1, HEAD: 1 };
    await page.route('**/api/v1/uploads/*', async (route) => {
      const method = route.request().method();
      if (method === 'PATCH' && faults.PATCH-- > 0) return route.abort('connectionreset');
      if (method === 'HEAD' && faults.HEAD-- > 0) return route.fulfill({ status: 503 });
      return route.fallback();
    });
    await page.getByLabel('Choose videos').setInputFiles(await clip('plain'));
    await page.getByRole('button', { name: 'Upload', exact: true }).click();
    await cards(page).getByText('Ready').waitFor({ timeout: 60_000 });
    expect(faults.HEAD).toBeLessThanOrEqual(0);
    expect(begun).toHaveLength(1);
  });

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
        await (await networkOf(page)).throttle();
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
      expect(await onceReady(ann)).toMatchObject([{ title: 'large', status: 'ready' }]);
      const { data: left } = await call<unknown[]>(api(), 'GET', '/api/v1/uploads', { token: ann.token });
      expect(left).toEqual([]);
    },
    180_000,
  );
});

const cards = (page: Page): Locator => page.getByRole('list', { name: 'Uploads' }).getByRole('listitem');

interface Network {
  /** Makes it slow, so that there is a middle. */
  throttle(): Promise<void>;
  cut(): Promise<void>;
  restore(): Promise<void>;
}

async function networkOf(page: Page): Promise<Network> {
  const session = await page.context().newCDPSession(page);
  await session.send('Network.enable');
  const emulate = async (offline: boolean, uploadThroughput: number): Promise<void> => {
    const conditions = { offline, latency: 0, downloadThroughput: -1, uploadThroughput };
    await session.send('Network.emulateNetworkConditions', conditions);
  };
  return {
    throttle: () => emulate(false, 12 * 1024 * 1024),
    cut: () => emulate(true, 0),
    restore: () => emulate(false, -1),
  };
}

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
