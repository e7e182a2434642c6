import { mediaUrl } from '../../../player/mediaUrl.ts';
import type { ModeratedVideo } from './api.ts';
import styles from './Reports.module.css';

/** What is reported may be nothing that one wants to see at once. */
export function Picture({ video: { thumbnailUrl } }: { readonly video: ModeratedVideo }) {
  return (
    <span className={styles.picture} aria-hidden>
      {thumbnailUrl !== null && <img src={mediaUrl(thumbnailUrl)} alt="" loading="lazy" decoding="async" />}
    </span>
  );
}
