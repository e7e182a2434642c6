import { Badge } from '../../../components/Badge.tsx';
import type { ModeratedVideo } from './api.ts';

const TONES = { visible: 'good', hidden: 'warn', removed: 'bad', deleted: 'neutral' } as const;

/** What moderators, or its owner, have done with a video. */
export function VideoState({ video: { state, visibility } }: { readonly video: ModeratedVideo }) {
  const word = { visible: visibility, hidden: 'hidden', removed: 'removed', deleted: 'deleted by its owner' }[state];
  return <Badge tone={TONES[state]}>{word}</Badge>;
}
