import type { OwnVideo } from './ownVideos.ts';
import styles from './ProcessingState.module.css';
import { stageInWords } from './words.ts';

/** How far a video is, or why it failed. */
export function ProcessingState({ video: { status, stage, progress, reason, title } }: { readonly video: OwnVideo }) {
  if (status === 'failed') return <p className={styles.reason}>{reason ?? 'It could not be processed.'}</p>;
  if (status === 'ready') return null;
  return (
    <div className={styles.progress}>
      <progress max={100} value={progress ?? 0} aria-label={`Processing of ${title}`} />
      <span>
        {stageInWords(stage)}
        {progress !== null && ` · ${progress} %`}
      </span>
    </div>
  );
}
