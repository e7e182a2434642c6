import { Link } from '@tanstack/react-router';
import { Play } from 'lucide-react';
import { useState } from 'react';
import type { Video } from '../../api/types.ts';
import { mediaUrl } from '../../player/mediaUrl.ts';
import { useCalm } from '../../player/useMedia.ts';
import { formatCount } from '../../videos/format.ts';
import styles from './AuthorPage.module.css';

/** A video as a picture. It moves while somebody points at it. */
export function Tile({ video }: { readonly video: Video }) {
  const [isLookedAt, setLookedAt] = useState(false);
  const isCalm = useCalm();
  return (
    <li>
      <Link
        to="/v/$videoId"
        params={{ videoId: video.id }}
        className={styles.tile}
        onPointerEnter={() => setLookedAt(true)}
        onPointerLeave={() => setLookedAt(false)}
        onFocus={() => setLookedAt(true)}
        onBlur={() => setLookedAt(false)}
      >
        {video.thumbnailUrl !== null && <img src={mediaUrl(video.thumbnailUrl)} alt="" loading="lazy" />}
        {isLookedAt && !isCalm && video.previewUrl !== null && <Preview url={mediaUrl(video.previewUrl)} />}
        <span className={styles.name}>{video.title}</span>
        <span className={styles.views}>
          <Play aria-hidden size={14} fill="currentColor" /> {formatCount(video.viewCount)}
          <span className="visually-hidden">{video.viewCount === 1 ? 'view' : 'views'}</span>
        </span>
      </Link>
    </li>
  );
}

/** The server makes it as a short film or as a moving picture. */
function Preview({ url }: { readonly url: string }) {
  const isFilm = /\.(?:mp4|webm)$/.test(new URL(url, location.origin).pathname);
  return isFilm ? <video src={url} autoPlay loop muted playsInline aria-hidden /> : <img src={url} alt="" />;
}
