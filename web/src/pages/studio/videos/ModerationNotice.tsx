import type { OwnVideo } from './ownVideos.ts';
import { Notice } from '../../../components/Notice.tsx';
import { Ago } from '../../../components/Ago.tsx';

/** What a moderator has decided about a video, and why. */
export function ModerationNotice({ moderation }: Pick<OwnVideo, 'moderation'>) {
  if (moderation === null) return null;
  const { state, reason, at } = moderation;
  return (
    <Notice tone={state === 'hidden' ? 'warn' : 'bad'}>
      <strong>
        A moderator has {state} this video <Ago time={at} />.
      </strong>
      {state === 'hidden' ? 'Nobody but you sees it.' : 'Its files no longer exist.'} The reason: {reason}
    </Notice>
  );
}
