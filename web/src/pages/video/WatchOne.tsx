import { Link, useNavigate } from '@tanstack/react-router';
import { ChevronLeft, ChevronRight, Pencil } from 'lucide-react';
import { buttonClass } from '../../components/Button.tsx';
import { Rail } from '../../player/Rail.tsx';
import { Stage } from '../../player/Stage.tsx';
import { useShortcuts } from '../../player/useShortcuts.ts';
import { useUser } from '../../session/useSession.ts';
import { formatAge, formatCounted } from '../../videos/format.ts';
import { useLike } from '../../videos/useLike.ts';
import { useSteadyFiles } from '../../videos/useSteadyFiles.ts';
import type { Watched } from '../../videos/videoQueries.ts';
import styles from './VideoPage.module.css';

/** A video with what there is to know about it, and the way to its neighbours in the feed. */
export function WatchOne({ watched: { video: latest, prev, next, isLiked } }: { readonly watched: Watched }) {
  const { video, renew } = useSteadyFiles(latest);
  const like = useLike(video.id);
  const user = useUser();
  const navigate = useNavigate();
  const open = (neighbour: { readonly id: string } | null) =>
    neighbour === null ? undefined : () => void navigate({ to: '/v/$videoId', params: { videoId: neighbour.id } });
  useShortcuts({ l: () => like(!isLiked), ArrowUp: open(next), ArrowDown: open(prev) });

  return (
    <article className={styles.page} aria-label={`${video.title}, by ${video.user.name}`}>
      <title>{`${video.title} · ReelStream`}</title>
      <div className={styles.player}>
        <Stage
          video={video}
          isActive
          hasPlayer
          isFirst
          onLike={() => isLiked || like(true)}
          onRenew={renew}
          rail={<Rail video={video} isLiked={isLiked} onLike={like} />}
        />
      </div>
      <div className={styles.details}>
        <h1>{video.title}</h1>
        <p className={styles.facts}>
          {formatCounted(video.viewCount, 'view')} · {formatCounted(video.likeCount, 'like')} ·{' '}
          <time dateTime={video.createdAt}>{formatAge(video.createdAt)}</time>
          {video.visibility !== 'public' && <span className={styles.badge}>{video.visibility}</span>}
        </p>
        <Link to="/u/$username" params={{ username: video.user.username }} className={styles.author}>
          <span className={styles.initial} aria-hidden>
            {[...video.user.name][0]}
          </span>
          <span>
            <strong>{video.user.name}</strong>
            <span>@{video.user.username}</span>
          </span>
        </Link>
        {video.description !== '' && <p className={styles.description}>{video.description}</p>}
        {user?.id === video.uploadedBy && (
          <Link to="/studio/videos/$videoId" params={{ videoId: video.id }} className={buttonClass}>
            <Pencil aria-hidden size={18} /> Edit in the studio
          </Link>
        )}
        {(next !== null || prev !== null) && (
          <nav className={styles.neighbours} aria-label="Other videos">
            {next !== null && (
              <Link to="/v/$videoId" params={{ videoId: next.id }} className={buttonClass}>
                <ChevronLeft aria-hidden size={18} /> Newer
              </Link>
            )}
            {prev !== null && (
              <Link to="/v/$videoId" params={{ videoId: prev.id }} className={buttonClass}>
                Older <ChevronRight aria-hidden size={18} />
              </Link>
            )}
          </nav>
        )}
      </div>
    </article>
  );
}
