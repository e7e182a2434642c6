import { Link } from '@tanstack/react-router';
import { CircleAlert, Hourglass } from 'lucide-react';
import type { Video } from '../../api/types.ts';
import { buttonClass } from '../../components/Button.tsx';
import { Empty } from '../../components/States.tsx';

/** What only its owner sees: a video that is being processed, or could not be. */
export function NotReady({ video }: { readonly video: Video }) {
  const hasFailed = video.status === 'failed';
  return (
    <>
      <title>{`${video.title} · ReelStream`}</title>
      <Empty
        title={hasFailed ? `“${video.title}” could not be processed` : `“${video.title}” is being processed`}
        icon={hasFailed ? CircleAlert : Hourglass}
        action={
          <Link
            to="/studio/videos/$videoId"
            params={{ videoId: video.id }}
            className={buttonClass}
            data-look={hasFailed ? 'primary' : undefined}
          >
            {hasFailed ? 'See why, and try again' : 'Open it in the studio'}
          </Link>
        }
      >
        {hasFailed ? 'Nobody else sees it.' : 'It plays here as soon as it is ready. Until then, nobody else sees it.'}
      </Empty>
    </>
  );
}
