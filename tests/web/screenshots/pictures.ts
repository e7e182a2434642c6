import type { Page } from 'playwright-core';
import type { Person } from '../../support/systemClient.ts';
import type { People, Scene } from './scene.ts';

/** A page, and what it needs to show what it is for. */
export interface Look<Shown> {
  readonly name: string;
  readonly as: (shown: Shown) => Person | undefined;
  readonly path: (shown: Shown) => string;
  /** A video plays on it. */
  readonly moves?: boolean;
  /** Before the page is opened. */
  readonly before?: (page: Page) => Promise<void>;
  /** Once it is open. */
  readonly prepare?: (page: Page) => Promise<void>;
}

/** How docs/screenshots shows a page. */
export interface Picture extends Look<Scene> {
  readonly width: 360 | 768 | 1440;
  /** 740 for the width of phones, 900 for others, when it is not given. */
  readonly height?: number;
  readonly scheme: 'light' | 'dark';
}

const nobody = (): undefined => undefined;
const author = ({ author }: People): Person => author;
const operator = ({ operator }: People): Person => operator;
const guest = ({ guest }: People): Person => guest;
const hidden = ({ videos }: Scene): string => videos[0]!.id;
const watched = ({ videos }: Scene): string => videos.at(-1)!.id;

/** Every page of the studio. */
export const pictures: readonly Picture[] = [
  { name: 'watch', as: nobody, path: () => '/', width: 1440, scheme: 'dark', moves: true },
  { name: 'video', as: author, path: (scene) => `/v/${watched(scene)}`, width: 360, scheme: 'dark', moves: true },
  { name: 'author', as: nobody, path: ({ author }) => `/u/${author.username}`, width: 768, scheme: 'light' },
  { name: 'sign-in', as: nobody, path: () => '/sign-in', width: 360, scheme: 'light' },
  { name: 'sign-up', as: nobody, path: () => '/sign-up', width: 360, scheme: 'light' },
  { name: 'account', as: author, path: () => '/account', width: 768, scheme: 'light' },
  { name: 'studio', as: author, path: () => '/studio', width: 1440, scheme: 'light' },
  { name: 'upload', as: author, path: () => '/studio/upload', width: 768, scheme: 'light' },
  { name: 'own-video', as: author, path: (scene) => `/studio/videos/${watched(scene)}`, width: 1440, scheme: 'light' },
  { name: 'analytics', as: author, path: () => '/studio/analytics', width: 1440, scheme: 'light' },
  { name: 'projections', as: operator, path: () => '/operator/projections', width: 1440, scheme: 'dark' },
  {
    name: 'log',
    as: operator,
    path: (scene) => `/operator/log?stream=video-${watched(scene)}`,
    width: 1440,
    scheme: 'dark',
    prepare: openEvent,
  },
  { name: 'reports', as: operator, path: () => '/operator/reports', width: 768, scheme: 'light' },
  {
    name: 'report',
    as: operator,
    path: (scene) => `/operator/reports?video=${hidden(scene)}`,
    width: 1440,
    scheme: 'light',
  },
  { name: 'jobs', as: operator, path: () => '/operator/jobs', width: 1440, scheme: 'dark' },
  {
    name: 'system',
    as: operator,
    path: () => '/operator/system',
    width: 1440,
    height: 1400,
    scheme: 'light',
    before: hideMachine,
  },
  { name: 'rules', as: operator, path: () => '/operator/rules', width: 1440, scheme: 'light' },
];

/** Pages while there is nothing to show, only for `--all`. */
export const emptyPictures: readonly Look<People>[] = [
  { name: 'empty-watch', as: nobody, path: () => '/' },
  { name: 'empty-author', as: nobody, path: ({ author }) => `/u/${author.username}` },
  { name: 'empty-studio', as: author, path: () => '/studio' },
  { name: 'empty-analytics', as: author, path: () => '/studio/analytics' },
  { name: 'empty-reports', as: operator, path: () => '/operator/reports' },
  { name: 'empty-jobs', as: operator, path: () => '/operator/jobs' },
];

/** Pages on which something is wrong, and those of the documentation, only for `--all`. */
export const otherPictures: readonly Look<Scene>[] = [
  { name: 'not-found', as: nobody, path: () => '/studio/nothing' },
  { name: 'no-video', as: nobody, path: () => '/v/01980a41-7d93-7a08-8f5b-2c9e4a6d1b30' },
  { name: 'nobody', as: nobody, path: () => '/u/nobody-at-all' },
  { name: 'failing-watch', as: nobody, path: () => '/', before: failing },
  { name: 'failing-studio', as: author, path: () => '/studio', before: failing },
  { name: 'failing-analytics', as: author, path: () => '/studio/analytics', before: failing },
  { name: 'offline-watch', as: nobody, path: () => '/', prepare: (page) => page.context().setOffline(true) },
  { name: 'offline-studio', as: author, path: () => '/studio', prepare: (page) => page.context().setOffline(true) },
  { name: 'wrong-sign-in', as: nobody, path: () => '/sign-in', prepare: signInWrongly },
  {
    name: 'wrong-sign-up',
    as: nobody,
    path: () => '/sign-up',
    prepare: (page) => page.getByRole('button', { name: 'Create account' }).click(),
  },
  { name: 'toasts', as: author, path: () => '/studio', prepare: deleteTwo },
  {
    name: 'report-dialog',
    as: guest,
    path: (scene) => `/v/${watched(scene)}`,
    prepare: (page) => press(page, 'Report'),
  },
  {
    name: 'decide-dialog',
    as: operator,
    path: (scene) => `/operator/reports?video=${hidden(scene)}`,
    prepare: (page) => press(page, 'Remove'),
  },
  { name: 'delete-account', as: author, path: () => '/account', prepare: (page) => press(page, 'Delete my account') },
  { name: 'hidden-studio', as: guest, path: () => '/studio' },
  { name: 'hidden-own-video', as: guest, path: (scene) => `/studio/videos/${hidden(scene)}` },
  { name: 'admins-only', as: author, path: () => '/operator/log' },
  { name: 'docs', as: nobody, path: () => '/docs' },
  { name: 'docs-realtime', as: nobody, path: () => '/docs/realtime' },
];

async function press(page: Page, button: string): Promise<void> {
  await page.getByRole('button', { name: button }).click();
  await page.getByRole('dialog').waitFor();
}

async function openEvent(page: Page): Promise<void> {
  await page.getByRole('button').filter({ hasText: 'VideoUploaded' }).click();
  await page.getByRole('button', { name: 'VideoProcessed' }).first().waitFor();
}

/** The page of the system shows admins where the server runs. A picture for everybody shows another place. */
async function hideMachine(page: Page): Promise<void> {
  await page.route('**/api/v1/admin/system', async (route) => {
    const answer = await route.fetch();
    const body = (await answer.json()) as {
      data: { processes: { host: string }[]; engines: Record<string, { place: string }> };
    };
    for (const process of body.data.processes) process.host = 'reels-1';
    for (const engine of Object.values(body.data.engines))
      if (engine.place.startsWith('/')) engine.place = `/srv/reelstream/${engine.place.split('/').at(-1)}`;
    await route.fulfill({ response: answer, json: body });
  });
}

async function failing(page: Page): Promise<void> {
  const json = {
    success: false,
    statusCode: 500,
    message: 'Something went wrong.',
    code: 'internal_error',
    requestId: 'f81d4fae',
  };
  await page.route(/\/api\/v1\/(?:video|analytics)/, (route) => route.fulfill({ status: 500, json }));
}

async function signInWrongly(page: Page): Promise<void> {
  await page.getByLabel('E-mail').fill('ada@example.org');
  await page.getByLabel('Password', { exact: true }).fill('wrong-1');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page
    .getByRole('alert')
    .filter({ hasText: /password/ })
    .waitFor();
}

/** Leaves them there: the page stays open. */
async function deleteTwo(page: Page): Promise<void> {
  for (let n = 0; n < 2; n++)
    await page
      .getByRole('button', { name: /^Delete/ })
      .first()
      .click();
}
