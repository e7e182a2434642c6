import { readFile } from 'node:fs/promises';
import { beforeAll, expect } from '@jest/globals';
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
});
