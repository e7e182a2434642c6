import type { components } from './schema.d.ts';

export type Video = components['schemas']['Video'];
