import { useInfiniteQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { Clapperboard, UserRoundX } from 'lucide-react';
import { ApiError } from '../../api/apiError.ts';
import { reread } from '../../api/queryClient.ts';
import { Button, buttonClass } from '../../components/Button.tsx';
import { Page } from '../../components/Page.tsx';
import { Empty, Failure, Skeleton } from '../../components/States.tsx';
import { useLiveEvents } from '../../live/useLiveEvents.ts';
import { leftFeed } from '../../videos/leftFeed.ts';
import { authorQuery, dropVideo, heardOfFeed } from '../../videos/videoQueries.ts';
import styles from './AuthorPage.module.css';
import { Tile } from './Tile.tsx';

const route = getRouteApi('/u/$username');

/** The public videos of one user. */
export function AuthorPage() {
  const { username } = route.useParams();
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery(
    authorQuery(username),
  );
  useLiveEvents(
    ['feed'],
    (event) => {
      heardOfFeed(event.position);
      const left = leftFeed(event);
      if (left !== undefined) dropVideo(left);
    },
    (position) => {
      heardOfFeed(position);
      void reread({ queryKey: authorQuery(username).queryKey });
    },
  );
  if (error instanceof ApiError && (error.code === 'user_not_found' || error.status === 400)) return <Nobody />;
  if (data === undefined)
    return (
      <Page title={`@${username}`}>
        {error === null ? (
          <Skeleton lines={5} label="Loading videos" />
        ) : (
          <Failure error={error} onRetry={() => void refetch()} />
        )}
      </Page>
    );
  const { user, total } = data.pages[0]!.meta;
  const videos = data.pages.flatMap((page) => page.data);
  return (
    <Page
      title={user?.name ?? username}
      lead={`@${user?.username ?? username} · ${total} video${total === 1 ? '' : 's'}`}
    >
      {videos.length === 0 ? (
        <Empty title="No videos yet" icon={Clapperboard}>
          What {user?.name ?? username} makes public appears here.
        </Empty>
      ) : (
        <ul className={styles.grid}>
          {videos.map((video) => (
            <Tile key={video.id} video={video} />
          ))}
        </ul>
      )}
      {error !== null && <Failure error={error} onRetry={() => void fetchNextPage()} />}
      {hasNextPage && error === null && (
        <Button className={styles.more} busy={isFetchingNextPage} onClick={() => void fetchNextPage()}>
          Show more
        </Button>
      )}
    </Page>
  );
}

function Nobody() {
  return (
    <Empty
      title="Nobody has this name here"
      icon={UserRoundX}
      action={
        <Link to="/" className={buttonClass} data-look="primary">
          Watch videos
        </Link>
      }
    >
      The name may have changed, or the account was deleted.
    </Empty>
  );
}
