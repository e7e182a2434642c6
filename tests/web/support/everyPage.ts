import type { Page } from 'playwright-core';
import { clip } from '../../support/clips.ts';
import {
  afterwards,
  call,
  getVideo,
  newPerson,
  setLike,
  uploaded,
  type Person,
  type Video,
} from '../../support/systemClient.ts';
import type { System } from '../../support/system.ts';

/** Somebody with two videos, one of them watched and liked. */
export interface Content {
  readonly author: Person;
  readonly videos: readonly [Video, Video];
}

export const ROLES = ['visitor', 'author', 'admin'] as const;

/** An address; its name, where it depends on the content, and the address itself. */
type Address = string | readonly [name: string, path: (content: Content) => string];
type Pages = Readonly<Record<(typeof ROLES)[number], readonly Address[]>>;

const author = ['/u/:username', ({ author }) => `/u/${author.username}`] satisfies Address;
const video = ['/v/:id', ({ videos }) => `/v/${videos[0].id}`] satisfies Address;
const ownVideo = ['/studio/videos/:id', ({ videos }) => `/studio/videos/${videos[0].id}`] satisfies Address;

const reports = [
  '/operator/reports?video=:id',
  ({ videos }) => `/operator/reports?video=${videos[1].id}`,
] satisfies Address;

/** All pages of web/src/router.tsx. */
export const everyPage: Pages = {
  visitor: ['/', video, author, '/sign-in', '/sign-up'],
  author: ['/', video, '/account', '/studio', '/studio/upload', ownVideo, '/studio/analytics'],
  admin: [
    '/operator/projections',
    '/operator/log',
    '/operator/reports',
    reports,
    '/operator/jobs',
    '/operator/system',
    '/operator/rules',
  ],
};

/** Pages that look different while there is nothing to show. */
export const emptyPages: Pages = {
  visitor: ['/', author],
  author: ['/studio', '/studio/analytics'],
  admin: ['/operator/reports', '/operator/jobs'],
};

/** Opens each page in turn. Returns what `check` finds wrong, by the name of the page; nothing for a page without faults. */
export async function findings(
  page: Page,
  addresses: readonly Address[],
  content: Content,
  check: (page: Page) => Promise<readonly string[]>,
): Promise<Record<string, readonly string[]>> {
  const found: Record<string, readonly string[]> = {};
  for (const address of addresses) {
    const [name, path] = typeof address === 'string' ? [address, address] : [address[0], address[1](content)];
    await page.goto(path);
    await settled(page);
    const faults = await check(page);
    if (faults.length > 0) found[name] = faults;
  }
  return found;
}

/** Uploads as `author`, and lets somebody else watch and like. */
export async function fill(system: System, author: Person): Promise<Content> {
  const api = system.apis[0]!;
  const portrait = await clip('portrait');
  const videos: [Video, Video] = [
    await uploaded(api, author.token, portrait, {
      title: 'Morning in the harbour',
      description: 'Before the boats leave.',
    }),
    await uploaded(api, author.token, portrait, { title: 'How bread rises' }),
  ];
  const viewer = await newPerson(api);
  await getVideo(api, videos[0].id, { token: viewer.token });
  const liked = await setLike(api, videos[0].id, viewer.token);
  await getVideo(api, videos[0].id, afterwards(liked));
  const json = { reason: 'copyright', text: 'It is my recipe.' };
  await call(api, 'POST', `/api/v1/video/${videos[1].id}/reports`, { token: viewer.token, json });
  return { author, videos };
}

/** Resolves when the page shows what it has loaded, and nothing of it is on its way. */
export async function settled(page: Page): Promise<void> {
  await page.waitForFunction(
    () =>
      (document.querySelector('main')?.childElementCount ?? 0) > 0 &&
      document.querySelector('[class*="skeleton" i], [class*="ghost" i], [aria-busy="true"]') === null,
  );
  await painted(page);
}

/** Resolves when what was shown last is painted. */
export async function painted(page: Page): Promise<void> {
  await page.evaluate(async () => {
    await document.fonts.ready;
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
  });
}
