import { useInfiniteQuery } from '@tanstack/react-query';
import { Failure } from '../../components/States.tsx';
import { feedQuery } from '../../videos/videoQueries.ts';
import { Feed } from './Feed.tsx';
import styles from './Feed.module.css';
import { Welcome } from './Welcome.tsx';

/** The videos of everybody, one at a time. */
export function FeedPage() {
  const feed = useInfiniteQuery(feedQuery);
  const videos = feed.data?.pages.flatMap(({ data }) => data);
  return (
    <>
      <title>ReelStream</title>
      <h1 className="visually-hidden">Watch</h1>
      {videos === undefined && feed.error === null && <Loading />}
      {videos === undefined && feed.error !== null && (
        <Failure error={feed.error} onRetry={() => void feed.refetch()} />
      )}
      {videos !== undefined && videos.length === 0 && !feed.hasNextPage && <Welcome />}
      {videos !== undefined && (videos.length > 0 || feed.hasNextPage) && (
        <Feed
          videos={videos}
          total={feed.data?.pages[0]?.meta.total ?? videos.length}
          more={{
            isThere: feed.hasNextPage,
            error: feed.isFetchNextPageError ? feed.error : undefined,
            load: () => void (feed.isFetchingNextPage || feed.fetchNextPage()),
          }}
        />
      )}
    </>
  );
}

function Loading() {
  return (
    <div className={styles.feed}>
      <div className={styles.loading} role="status">
        <span className="visually-hidden">Loading videos</span>
        <span className={styles.ghost} aria-hidden />
      </div>
    </div>
  );
}
