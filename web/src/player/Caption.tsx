import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import type { Video } from '../api/types.ts';
import { formatAge, formatCounted } from '../videos/format.ts';
import styles from './Caption.module.css';

/** From how many characters on a description is folded. */
const LONG = 80;

/** Who made a video and what it is, over its picture. */
export function Caption({ video }: { readonly video: Video }) {
  const [isOpen, setOpen] = useState(false);
  const isLong = video.description.length > LONG || video.description.includes('\n');
  return (
    <div className={styles.caption}>
      <Link to="/u/$username" params={{ username: video.user.username }} className={styles.author}>
        {video.user.name} <span>@{video.user.username}</span>
      </Link>
      <h2 className={styles.title}>
        <Link to="/v/$videoId" params={{ videoId: video.id }}>
          {video.title}
        </Link>
      </h2>
      {video.description !== '' && (
        <p className={styles.description} data-folded={(isLong && !isOpen) || undefined}>
          {video.description}
        </p>
      )}
      <p className={styles.facts}>
        {formatCounted(video.viewCount, 'view')} · {formatAge(video.createdAt)}
        {isLong && (
          <button type="button" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
            {isOpen ? 'Less' : 'More'}
          </button>
        )}
      </p>
    </div>
  );
}
