import { Eye, EyeOff, Link2, type LucideIcon } from 'lucide-react';
import type { OwnVideo } from './ownVideos.ts';

export type Visibility = OwnVideo['visibility'];

export const visibilities: Readonly<
  Record<Visibility, { readonly label: string; readonly hint: string; readonly icon: LucideIcon }>
> = {
  public: { label: 'Public', hint: 'In the feed, for everybody.', icon: Eye },
  unlisted: { label: 'Unlisted', hint: 'For everybody who has the link.', icon: Link2 },
  private: { label: 'Private', hint: 'Only for you.', icon: EyeOff },
};

const stages: Readonly<Record<NonNullable<OwnVideo['stage']>, string>> = {
  waiting: 'Waiting for its turn',
  receiving: 'Receiving the file',
  checking: 'Checking the file',
  storing: 'Storing the file',
  transcoding: 'Converting',
  thumbnail: 'Taking a picture of it',
  publishing: 'Publishing',
  ready: 'Ready',
};

/** What the server does with a video at the moment. */
export function stageInWords(stage: OwnVideo['stage']): string {
  return (stage !== null && stages[stage]) || 'Processing';
}
