import type { Page } from 'playwright-core';
import type { Person } from '../../support/systemClient.ts';
import type { Scene } from './scene.ts';

export interface Picture {
  readonly name: string;
  readonly as: (scene: Scene) => Person | undefined;
  readonly path: (scene: Scene) => string;
  /** The look that docs/screenshots keeps. */
  readonly width: 360 | 768 | 1440;
  readonly scheme: 'light' | 'dark';
  /** A video plays on it. */
  readonly moves?: boolean;
  readonly prepare?: (page: Page) => Promise<void>;
}

const nobody = (): undefined => undefined;
const author = (scene: Scene): Person => scene.author;
const operator = (scene: Scene): Person => scene.operator;
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
  { name: 'log', as: operator, path: () => '/operator/log', width: 1440, scheme: 'dark' },
  { name: 'jobs', as: operator, path: () => '/operator/jobs', width: 1440, scheme: 'dark' },
  { name: 'system', as: operator, path: () => '/operator/system', width: 1440, scheme: 'light' },
  { name: 'rules', as: operator, path: () => '/operator/rules', width: 1440, scheme: 'light' },
];
