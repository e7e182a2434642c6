import { beforeAll, expect } from '@jest/globals';
import { readFile, rm } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { clip } from '../support/clips.ts';
import { eventually } from '../support/eventually.ts';
import {
  call,
  getVideo,
  newPerson,
  setLike,
  upload,
  uploaded,
  type Analytics,
  type Person,
  type Video,
} from '../support/systemClient.ts';
import { violationsOf } from './support/axe.ts';
import { damagedClip } from './support/damagedClip.ts';
import { describeWeb } from './support/describeWeb.ts';

describeWeb('the studio of a creator', ({ system, webTest, visit }) => {
  const api = (): string => system().apis[0]!;
  const today = (): string => new Date().toISOString().slice(0, 10);
  let plain: string;
  beforeAll(async () => {
    plain = await clip('plain');
  });

  const history = async (person: Person, { id }: Video): Promise<{ type: string; time: string }[]> =>
    (await call<{ type: string; time: string }[]>(api(), 'GET', `/api/v1/video/${id}/history`, { token: person.token }))
      .data;
  const lastEvent = async (person: Person, video: Video): Promise<string | undefined> =>
    (await history(person, video)).at(-1)?.type;
  const change = (person: Person, { id }: Video, json: object) =>
    call<Video>(api(), 'PATCH', `/api/v1/video/${id}`, { token: person.token, json });

  /** By so many viewers, one of whom likes it. */
  async function watched(video: Video, viewers: number): Promise<void> {
    for (let n = 0; n < viewers; n++) {
      const viewer = await newPerson(api());
      await getVideo(api(), video.id, { token: viewer.token });
      if (n === 0) expect((await setLike(api(), video.id, viewer.token)).status).toBe(200);
    }
  }

  async function counted(person: Person, views: number): Promise<Analytics> {
    const numbers = async (): Promise<Analytics> =>
      (await call<Analytics>(api(), 'GET', '/api/v1/analytics', { token: person.token })).data;
    return eventually(numbers, {
      what: 'the views are counted',
      within: 20_000,
      holds: ({ totalViews }) => totalViews >= views,
    });
  }

  webTest('lists videos in every state, shows at once what happens to them, and tries a failed one again', async () => {
    const ann = await newPerson(api());
    const page = await visit('/studio', { as: ann });
    await page.getByText('Your first video goes here').waitFor();

    await uploaded(api(), ann.token, plain, { title: 'Morning swim' });
    await row(page, 'Morning swim').getByText('0 views').waitFor();

    const damaged = await damagedClip();
    try {
      expect((await upload(api(), ann.token, damaged, { title: 'Cut short' })).status).toBe(422);
    } finally {
      await rm(damaged);
    }
    const failed = row(page, 'Cut short');
    await failed.getByText('it is damaged').waitFor();

    await page.getByRole('link', { name: 'Failed', exact: true }).click();
    await row(page, 'Morning swim').waitFor({ state: 'detached' });
    expect(new URL(page.url()).search).toBe('?status=failed');
    await page.reload();
    await failed.waitFor();
    expect(await page.getByRole('listitem').filter({ hasText: 'Morning swim' }).count()).toBe(0);
    expect(await violationsOf(page)).toEqual([]);

    const { data } = await call<Video[]>(api(), 'GET', '/api/v1/video/mine?status=failed', { token: ann.token });
    await failed.getByRole('button', { name: 'Try again' }).click();
    await eventually(async () => (await history(ann, data[0]!)).map(({ type }) => type), {
      what: 'it was processed again',
      within: 30_000,
      holds: (types) => types.filter((type) => type === 'VideoProcessingFailed').length === 2,
    });
    await failed.getByText('it is damaged').waitFor();
  });

  webTest('deletes a video when the time to undo it is over, or the page is left', async () => {
    const ann = await newPerson(api());
    const kept = await uploaded(api(), ann.token, plain, { title: 'Kept' });
    const left = await uploaded(api(), ann.token, plain, { title: 'Left' });
    const waited = await uploaded(api(), ann.token, plain, { title: 'Waited' });
    const other = await uploaded(api(), ann.token, plain, { title: 'Other' });
    const page = await visit('about:blank', { as: ann });
    await page.clock.install();
    await page.goto('/studio');

    // Each can be undone for its whole time, however many there are.
    const titles = ['Kept', 'Left', 'Other', 'Waited'];
    for (const title of titles)
      await row(page, title)
        .getByRole('button', { name: `Delete ${title}` })
        .click();
    for (const title of titles.slice(0, 3)) {
      await page.getByText(`“${title}” was deleted.`).locator('..').getByRole('button', { name: 'Undo' }).click();
      await row(page, title).waitFor();
    }
    // It is not sent yet: a reader of the API still sees it.
    expect(await lastEvent(ann, waited)).not.toBe('VideoDeleted');
    await page.clock.fastForward(10_000);
    await eventually(() => lastEvent(ann, waited), {
      what: 'the time to undo is over',
      within: 5_000,
      holds: (type) => type === 'VideoDeleted',
    });
    expect(await row(page, 'Waited').count()).toBe(0);
    expect(await lastEvent(ann, other)).not.toBe('VideoDeleted');

    await row(page, 'Left').getByRole('button', { name: 'Delete Left' }).click();
    await row(page, 'Left').waitFor({ state: 'detached' });
    await page.goto('about:blank');
    await eventually(() => lastEvent(ann, left), {
      what: 'leaving the page deletes it',
      within: 5_000,
      holds: (type) => type === 'VideoDeleted',
    });
    expect(await lastEvent(ann, kept)).not.toBe('VideoDeleted');
  });

  webTest('changes a video, and never overwrites what was changed elsewhere without asking', async () => {
    const ann = await newPerson(api());
    const video = await uploaded(api(), ann.token, plain, { title: 'First title' });
    const page = await visit(`/studio/videos/${video.id}`, { as: ann, expecting: [/412/] });
    const title = page.getByRole('textbox', { name: 'Title' });
    const save = page.getByRole('button', { name: 'Save', exact: true });

    await title.fill('Second title');
    await page.getByRole('radio', { name: 'Unlisted' }).check();
    await save.click();
    await page.getByRole('heading', { level: 1, name: 'Second title' }).waitFor();
    await page.getByText('Visibility changed').waitFor();
    expect((await getVideo(api(), video.id)).data.video).toMatchObject({
      title: 'Second title',
      visibility: 'unlisted',
    });

    await title.fill('Third title');
    expect((await change(ann, video, { title: 'From elsewhere' })).status).toBe(200);
    await page.getByRole('heading', { level: 1, name: 'From elsewhere' }).waitFor();
    expect(await title.inputValue()).toBe('Third title');
    await save.click();
    const conflict = page.getByRole('alert');
    await conflict.getByText('changed elsewhere while you were editing').waitFor();
    expect(await violationsOf(page)).toEqual([]);
    expect((await getVideo(api(), video.id)).data.video.title).toBe('From elsewhere');

    await conflict.getByRole('button', { name: 'Save mine over it' }).click();
    await page.getByRole('heading', { level: 1, name: 'Third title' }).waitFor();
    expect((await getVideo(api(), video.id)).data.video.title).toBe('Third title');

    await title.fill('Never saved');
    await page.getByRole('link', { name: 'All videos' }).click();
    await page.getByRole('dialog', { name: 'Leave without saving?' }).getByRole('button', { name: 'Cancel' }).click();
    expect(await title.inputValue()).toBe('Never saved');
  });

  webTest('shows the numbers, the events behind each, and the numbers as of a past moment', async () => {
    const ann = await newPerson(api());
    const [first, second] = [
      await uploaded(api(), ann.token, plain, { title: 'Old favourite' }),
      await uploaded(api(), ann.token, plain, { title: 'Newcomer' }),
    ];
    await watched(first, 2);
    await counted(ann, 2);
    const moment = new Date().toISOString();
    await watched(second, 3);
    const numbers = await counted(ann, 5);

    const page = await visit('/studio/analytics', { as: ann });
    await total(page, 'Views', '5');
    await total(page, 'Likes', String(numbers.totalLikes));
    await total(page, 'Uploads', '2');

    // The table of a chart has the same numbers as the chart, and each leads to its events.
    await page.getByText('Numbers as a table: Views').click();
    await page.getByRole('button', { name: /^5 Views on .*show the events$/ }).click();
    const panel = page.getByRole('dialog');
    await panel.getByRole('heading', { name: /^5 views on/ }).waitFor();
    expect(await panel.getByRole('listitem').count()).toBe(5);
    expect(new URL(page.url()).searchParams.get('day')).toBe(today());
    expect(await violationsOf(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await panel.waitFor({ state: 'detached' });
    await page.waitForURL((url) => !url.searchParams.has('day'));

    await page.getByRole('button', { name: 'Only this one: Newcomer' }).click();
    await total(page, 'Views', '3');
    await page.getByLabel('Video', { exact: true }).selectOption('All videos');

    await page.goto(`/studio/analytics?asOf=${moment}`);
    await page.getByText(/^As of/).waitFor();
    await total(page, 'Views', '2');
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'CSV' }).click();
    expect(await readFile(await (await download).path(), 'utf8')).toBe(
      `date,views,likes,uploads\r\n${today()},2,1,2\r\n`,
    );

    await page.getByRole('button', { name: 'Back to now' }).click();
    await page.waitForURL((url) => !url.searchParams.has('asOf'));
    await total(page, 'Views', '5');

    // The first place of the slider is before the first upload of the day.
    await page.getByRole('slider', { name: 'Moment' }).fill('0');
    await total(page, 'Views', '0');
    await page.getByRole('slider', { name: 'Moment' }).fill('340');
    await page.getByRole('button', { name: 'Let time go by' }).click();
    await page.getByText(/^As of/).waitFor({ state: 'detached', timeout: 60_000 });
    await total(page, 'Views', '5');
  });

  webTest('says what is the matter while the numbers are not available, and keeps those on the page', async () => {
    const ann = await newPerson(api());
    await watched(await uploaded(api(), ann.token, plain, { title: 'Alone' }), 1);
    await counted(ann, 1);
    const page = await visit('/studio/analytics', { as: ann, expecting: [/503/] });
    await total(page, 'Views', '1');
    await page.route('**/api/v1/analytics?*', (route) =>
      route.fulfill({
        status: 503,
        headers: { 'Retry-After': '1' },
        json: { success: false, statusCode: 503, message: 'Not now.', code: 'projection_rebuilding', requestId: 'x' },
      }),
    );
    await page.getByRole('button', { name: '7 days' }).click();
    await page.getByText('The numbers are being counted anew from the log.').waitFor();
    await total(page, 'Views', '1');
    await page.unrouteAll();
    // Nobody asks: the page does by itself.
    await page.getByText('The numbers are being counted anew from the log.').waitFor({ state: 'detached' });
    await total(page, 'Views', '1');
  });
});

function row(page: Page, title: string) {
  return page.getByRole('listitem').filter({ has: page.getByRole('heading', { name: title }) });
}

/** Waits until a big number is this one. */
async function total(page: Page, label: string, value: string): Promise<void> {
  await page.locator('dl > div').filter({ hasText: label }).getByText(value, { exact: true }).first().waitFor();
}
