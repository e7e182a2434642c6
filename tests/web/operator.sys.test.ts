import { beforeAll, expect } from '@jest/globals';
import { rm } from 'node:fs/promises';
import type { Locator, Page } from 'playwright-core';
import { clip } from '../support/clips.ts';
import { eventually } from '../support/eventually.ts';
import { getVideo, newPerson, setLike, upload, uploaded, type Person, type Video } from '../support/systemClient.ts';
import { violationsOf } from './support/axe.ts';
import { damagedClip } from './support/damagedClip.ts';
import { describeWeb } from './support/describeWeb.ts';

describeWeb('the pages for operators', ({ system, webTest, visit, admin }) => {
  const api = (): string => system().apis[0]!;
  let [operator, ann] = [] as unknown as [Person, Person];
  let video: Video;
  beforeAll(async () => {
    [operator, ann] = [await admin(), await newPerson(api())];
    video = await uploaded(api(), ann.token, await clip('plain'));
  }, 120_000);

  const like = async (): Promise<Person> => {
    const viewer = await newPerson(api());
    expect((await setLike(api(), video.id, viewer.token)).status).toBe(200);
    return viewer;
  };
  const open = (path: string): Promise<Page> => visit(`/operator/${path}`, { as: operator });
  const events = (page: Page): Locator => page.getByRole('list', { name: 'Events, the newest first' });
  const shown = (page: Page, type: string): Locator => events(page).getByRole('button').filter({ hasText: type });

  webTest('are for admins: others read how to become one', async () => {
    const page = await visit('/operator/log', { as: ann });
    await page.getByText(`admins grant ${ann.email}`).waitFor();
    expect(await violationsOf(page)).toEqual([]);
    await (await visit('/operator/jobs')).waitForURL(/\/sign-in\?next=/);
  });

  webTest(
    'show what is recorded at once, by a filter that lies in the address, and stand still when told',
    async () => {
      const page = await open('log');
      await shown(page, 'VideoProcessed').first().waitFor();
      await page.getByText('Live', { exact: true }).waitFor();

      await page.getByLabel('Type').fill('VideoLiked');
      await page.getByRole('button', { name: 'Filter' }).click();
      await page.waitForURL(/type=VideoLiked/);
      await page.getByText('Live', { exact: true }).waitFor();
      await like();
      await shown(page, 'VideoLiked').first().waitFor();
      const before = await shown(page, 'Video').count();
      expect(await shown(page, 'VideoLiked').count()).toBe(before);

      await page.getByRole('button', { name: 'Pause' }).click();
      await like();
      await page.getByText('Paused · 1 new').waitFor();
      expect(await shown(page, 'VideoLiked').count()).toBe(before);
      await page.getByRole('button', { name: 'Resume' }).click();
      await shown(page, 'VideoLiked').nth(before).waitFor();

      await page.reload();
      await shown(page, 'VideoLiked').nth(before).waitFor();
      expect(await shown(page, 'UserRegistered').count()).toBe(0);
      await page.getByRole('button', { name: 'Show all' }).click();
      await shown(page, 'UserRegistered').first().waitFor();
    },
  );

  webTest('show an event with its metadata, and what its request has caused as a tree', async () => {
    const page = await open(`log?stream=video-${video.id}`);
    await shown(page, 'VideoUploaded').click();
    const panel = page.getByRole('dialog', { name: 'Event' });
    await panel.getByText('Correlation id', { exact: true }).waitFor();
    await panel.getByText(`video-${video.id} #0`).waitFor();
    const tree = panel.getByRole('region', { name: 'What the same request caused' });
    const uploadedEvent = tree
      .getByRole('listitem')
      .filter({ has: page.getByRole('button', { name: 'VideoUploaded' }) });
    const job = uploadedEvent.last().getByRole('listitem').filter({ hasText: 'Job by media' });
    await job.getByRole('button', { name: 'VideoProcessed' }).waitFor();
    await tree.getByText(`Command by ${ann.id}`).waitFor();
    expect(await violationsOf(page)).toEqual([]);

    await job.getByRole('button', { name: 'VideoProcessed' }).click();
    await panel.getByRole('heading', { name: 'VideoProcessed' }).waitFor();
    expect(page.url()).toContain('event=');
    await page.keyboard.press('Escape');
    await panel.waitFor({ state: 'hidden' });
    await page.waitForURL((url) => !url.searchParams.has('event'));
  });

  webTest(
    'rebuild a projection after one question, verify it and roll it back',
    async () => {
      const page = await open('projections');
      const likes = page.getByRole('region', { name: 'likes', exact: true });
      await likes.getByText('live', { exact: true }).waitFor();
      await likes.getByRole('button', { name: 'Rebuild' }).click();
      const question = page.getByRole('dialog', { name: 'Rebuild likes?' });
      await question.getByRole('button', { name: 'Cancel' }).click();
      await question.waitFor({ state: 'hidden' });
      expect(await likes.getByText(/Rebuild:/).count()).toBe(0);

      await likes.getByRole('button', { name: 'Rebuild' }).click();
      await question.getByRole('button', { name: 'Rebuild' }).click();
      await likes.getByText('Rebuild: done').waitFor({ timeout: 60_000 });

      await likes.getByRole('button', { name: 'Verify' }).click();
      await likes.getByText('identical', { exact: true }).waitFor({ timeout: 60_000 });

      await likes.getByRole('button', { name: 'Roll back' }).click();
      await page.getByRole('dialog', { name: 'Roll likes back?' }).getByRole('button', { name: 'Roll back' }).click();
      await likes.getByText('Rollback: done').waitFor({ timeout: 60_000 });
      expect(await violationsOf(page)).toEqual([]);
    },
    180_000,
  );

  webTest(
    'show jobs by state, with the error of a failed one, and retry it',
    async () => {
      const path = await damagedClip();
      try {
        expect((await upload(api(), ann.token, path)).status).toBe(422);
      } finally {
        await rm(path);
      }
      const page = await open('jobs');
      const table = page.getByRole('region', { name: 'Jobs' });
      await table.getByText('done', { exact: true }).first().waitFor();
      await page.getByRole('link', { name: /^Failed/ }).click();
      await page.waitForURL(/state=failed/);
      await table.getByText('it is damaged').first().waitFor();
      expect(await table.getByText('done', { exact: true }).count()).toBe(0);
      await table.getByRole('button', { name: 'Retry' }).first().click();
      await page.getByText('The job will run again').waitFor();
      // The file is as damaged as before: a second job has failed.
      await table.getByRole('button', { name: 'Retry' }).nth(1).waitFor({ timeout: 60_000 });
      expect(await violationsOf(page)).toEqual([]);
    },
    180_000,
  );

  webTest('show processes, engines and health', async () => {
    const page = await open('system');
    const processes = page.getByRole('region', { name: 'Processes' }).last();
    await processes.getByText('alive', { exact: true }).first().waitFor();
    await page
      .getByRole('region', { name: 'Engines' })
      .last()
      .getByRole('row', { name: /Media FFmpeg/ })
      .waitFor();
    await page.getByRole('heading', { name: 'Health' }).waitFor();
    expect(await violationsOf(page)).toEqual([]);
  });

  webTest('compare two view rules in a chart, with a summary in words', async () => {
    const viewer = await newPerson(api());
    await getVideo(api(), video.id, { token: viewer.token });
    await getVideo(api(), video.id, { token: ann.token });
    const page = await visit('/operator/rules', { as: operator, expecting: [/400/] });
    await page.getByLabel('Second rule').fill('not-the-owner');
    await page.getByRole('button', { name: 'Compare' }).click();
    await page.waitForURL(/b=not-the-owner/);
    await eventually(
      async () => {
        await page.reload();
        await page.getByText(/counted counts/).waitFor();
        return await page.getByText('counted counts 2 views, not-the-owner 1: 1 fewer.').isVisible();
      },
      { what: 'both views are recorded', every: 1_000 },
    );
    await page.getByText('Numbers as a table').click();
    await page.getByRole('region', { name: 'Views of all videos by day by day' }).getByRole('row').nth(1).waitFor();
    expect(await violationsOf(page)).toEqual([]);
    await page.getByLabel('Second rule').fill('nobody');
    await page.getByRole('button', { name: 'Compare' }).click();
    await page.getByRole('main').getByRole('alert').waitFor();
  });
});
