import { afterAll, beforeAll, expect } from '@jest/globals';
import type { Locator } from 'playwright-core';
import type pg from 'pg';
import { createPool } from '../../src/postgres/pool.ts';
import { clip } from '../support/clips.ts';
import { newPerson, setLike, uploaded, type Person, type Video } from '../support/systemClient.ts';
import { violationsOf } from './support/axe.ts';
import { describeWeb } from './support/describeWeb.ts';

describeWeb('parked events on the page of the projections', ({ system, webTest, visit, admin }) => {
  const api = (): string => system().apis[0]!;
  let pool: pg.Pool;
  let operator: Person;
  let video: Video;
  beforeAll(async () => {
    operator = await admin();
    video = await uploaded(api(), operator.token, await clip('plain'));
    const connectionString = await system().playing('projector')[0]!.databaseUrl();
    pool = createPool({ connectionString, name: 'test', max: 1 });
  }, 120_000);
  afterAll(() => pool.end());

  /** From now on the projection `likes` can apply no like. */
  const breakLikes = () => pool.query('alter table likes.likes add constraint broken check (false) not valid');
  const fixLikes = () => pool.query('alter table likes.likes drop constraint broken');
  const like = async (): Promise<void> => {
    expect((await setLike(api(), video.id, (await newPerson(api())).token)).status).toBe(200);
  };

  webTest('are listed with their error, and retried after the fix', async () => {
    const page = await visit('/operator/projections', { as: operator, expecting: [/422/] });
    const likes = page.getByRole('region', { name: 'likes', exact: true });
    await likes.getByText('live', { exact: true }).waitFor();
    await breakLikes();
    await like();
    await likes.getByText('1 parked event', { exact: true }).waitFor();
    await likes.getByText('failing', { exact: true }).waitFor();
    const parked = rowOf(likes, 'VideoLiked');
    await parked.getByText(`like-${video.id}_`).waitFor();
    await parked.getByText(/broken.*tries/).waitFor();
    expect(await violationsOf(page)).toEqual([]);

    await parked.getByRole('button', { name: 'Retry' }).click();
    await page
      .getByText(/likes still cannot apply/)
      .first()
      .waitFor();
    await parked.waitFor();

    await fixLikes();
    await parked.getByRole('button', { name: 'Retry' }).click();
    await page.getByText('1 parked event applied. The stream is free again.').waitFor();
    await parked.waitFor({ state: 'detached' });
    await likes.getByText('live', { exact: true }).waitFor();
  });

  webTest('are discarded with a reason, which the log keeps', async () => {
    const page = await visit('/operator/projections', { as: operator });
    const likes = page.getByRole('region', { name: 'likes', exact: true });
    await breakLikes();
    await like();
    const parked = rowOf(likes, 'VideoLiked');
    await parked.getByRole('button', { name: 'Discard' }).click();
    const question = page.getByRole('dialog', { name: 'Discard this event?' });
    const discard = question.getByRole('button', { name: 'Discard' });
    await discard.click();
    // Without a reason nothing happens.
    expect(
      await question.getByLabel('Reason').evaluate((field: HTMLTextAreaElement) => field.validity.valueMissing),
    ).toBe(true);
    await question.getByLabel('Reason').fill('Planted by a test.');
    expect(await violationsOf(page)).toEqual([]);
    await discard.click();
    await parked.waitFor({ state: 'detached' });
    await likes.getByText('live', { exact: true }).waitFor();
    await fixLikes();

    await page.goto('/operator/log?type=ParkedEventDiscarded');
    await page.getByRole('button').filter({ hasText: 'projection-likes' }).click();
    await page.getByRole('dialog', { name: 'Event' }).getByText('Planted by a test.').waitFor();
  });
});

const rowOf = (projection: Locator, type: string): Locator => projection.getByRole('row').filter({ hasText: type });
