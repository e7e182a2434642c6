import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { ChartColumn, Heart, Pencil, Play, RotateCcw, Trash2 } from 'lucide-react';
import { Ago } from '../../../components/Ago.tsx';
import { Badge } from '../../../components/Badge.tsx';
import { Button, buttonClass } from '../../../components/Button.tsx';
import { showToast } from '../../../components/toastStore.ts';
import { formatCount } from '../../../format.ts';
import { messageOf, retryVideo, type OwnVideo } from './ownVideos.ts';
import { deleteWithUndo } from './pendingDeletes.ts';
import { ProcessingState } from './ProcessingState.tsx';
import { Thumbnail } from './Thumbnail.tsx';
import styles from './VideoRow.module.css';
import { visibilities } from './words.ts';

/** One of the user's own videos in a list: what it is, how it is doing, and what can be done with it. */
export function VideoRow({ video }: { readonly video: OwnVideo }) {
  const { id, title, status, visibility, viewCount, likeCount, createdAt, moderation } = video;
  const { label, icon: VisibilityIcon } = visibilities[visibility];
  // Nothing is left that one could open.
  const isRemoved = moderation?.state === 'removed';
  return (
    <li className={styles.row}>
      {isRemoved ? (
        <Thumbnail video={video} />
      ) : (
        <Link
          to="/studio/videos/$videoId"
          params={{ videoId: id }}
          tabIndex={-1}
          aria-hidden
          className={styles.picture}
        >
          <Thumbnail video={video} />
        </Link>
      )}
      <div className={styles.text}>
        <h2>
          {isRemoved ? (
            title
          ) : (
            <Link to="/studio/videos/$videoId" params={{ videoId: id }}>
              {title}
            </Link>
          )}
        </h2>
        <p className={styles.facts}>
          {status === 'failed' && <Badge tone="bad">Failed</Badge>}
          {status === 'processing' && <Badge tone="info">Processing</Badge>}
          {moderation === null ? (
            <Badge tone={visibility === 'public' ? 'neutral' : 'warn'}>
              <VisibilityIcon aria-hidden size={13} />
              {label}
            </Badge>
          ) : (
            <Badge tone={isRemoved ? 'bad' : 'warn'}>{isRemoved ? 'Removed' : 'Hidden'} by a moderator</Badge>
          )}
          <Ago time={createdAt} />
        </p>
        {moderation !== null && <p className={styles.reason}>{moderation.reason}</p>}
        {status !== 'ready' ? (
          <ProcessingState video={video} />
        ) : (
          <p className={styles.facts}>
            <span>
              <Play aria-hidden size={14} /> {formatCount(viewCount)} {viewCount === 1 ? 'view' : 'views'}
            </span>
            <span>
              <Heart aria-hidden size={14} /> {formatCount(likeCount)} {likeCount === 1 ? 'like' : 'likes'}
            </span>
          </p>
        )}
      </div>
      {!isRemoved && <Actions video={video} />}
    </li>
  );
}

function Actions({ video }: { readonly video: OwnVideo }) {
  const { id, title, status } = video;
  return (
    <div className={styles.actions}>
      {status === 'failed' && <Retry video={video} />}
      {status === 'ready' && (
        <Link
          to="/studio/analytics"
          search={{ videoId: id }}
          className={buttonClass}
          data-look="quiet"
          title="Numbers"
          aria-label={`Numbers of ${title}`}
        >
          <ChartColumn aria-hidden size={20} />
        </Link>
      )}
      <Link
        to="/studio/videos/$videoId"
        params={{ videoId: id }}
        className={buttonClass}
        data-look="quiet"
        title="Edit"
        aria-label={`Edit ${title}`}
      >
        <Pencil aria-hidden size={20} />
      </Link>
      <Button look="quiet" title="Delete" aria-label={`Delete ${title}`} onClick={() => deleteWithUndo(video)}>
        <Trash2 aria-hidden size={20} />
      </Button>
    </div>
  );
}

export function Retry({ video }: { readonly video: OwnVideo }) {
  const { mutate, isPending } = useMutation({
    mutationFn: () => retryVideo(video.id),
    onError: (error) => showToast(messageOf(error), { tone: 'bad' }),
  });
  return (
    <Button onClick={() => mutate()} busy={isPending}>
      <RotateCcw aria-hidden size={18} />
      Try again
    </Button>
  );
}
