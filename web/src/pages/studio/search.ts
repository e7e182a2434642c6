import type { Status } from './videos/ownVideos.ts';

export interface StudioSearch {
  readonly status?: Status | undefined;
}

/** What the address of the page says about its list. */
export function studioSearch({ status }: Record<string, unknown>): StudioSearch {
  return status === 'ready' || status === 'processing' || status === 'failed' ? { status } : {};
}
