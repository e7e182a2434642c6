import { ArrowUp, CircleCheck } from 'lucide-react';
import { Button } from '../../components/Button.tsx';
import { Empty, Failure, Skeleton } from '../../components/States.tsx';
import type { MoreVideos } from './Feed.tsx';
import styles from './Feed.module.css';

interface FeedEndProps {
  readonly more: MoreVideos;
  readonly isInView: boolean;
  onTop(): void;
}

/** Below the last video: more are on their way, could not be loaded, or there are none. */
export function FeedEnd({ more, isInView, onTop }: FeedEndProps) {
  return (
    <section className={styles.item} aria-label="End of the feed" inert={!isInView}>
      <div className={styles.end}>
        {more.error !== undefined ? (
          <Failure error={more.error} onRetry={more.load} />
        ) : more.isThere ? (
          <Skeleton lines={3} label="Loading more videos" />
        ) : (
          <Empty
            title="That was all of it"
            icon={CircleCheck}
            action={
              <Button onClick={onTop}>
                <ArrowUp aria-hidden size={18} /> Back to the top
              </Button>
            }
          >
            New videos appear at the top as soon as they are ready.
          </Empty>
        )}
      </div>
    </section>
  );
}
