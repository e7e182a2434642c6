import { useInfiniteQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { ChartColumn, Clapperboard, Plus } from 'lucide-react';
import { Button, buttonClass } from '../../components/Button.tsx';
import { Page } from '../../components/Page.tsx';
import { Empty, Failure, Skeleton } from '../../components/States.tsx';
import { formatCount } from '../../format.ts';
import styles from './StudioPage.module.css';
import { ownVideosQuery, useOwnVideosLive, type Status } from './videos/ownVideos.ts';
import { useHiddenVideos } from './videos/pendingDeletes.ts';
import { VideoRow } from './videos/VideoRow.tsx';

const route = getRouteApi('/members/studio');

const FILTERS: readonly { readonly status: Status | undefined; readonly label: string }[] = [
  { status: undefined, label: 'All' },
  { status: 'ready', label: 'Ready' },
  { status: 'processing', label: 'Processing' },
  { status: 'failed', label: 'Failed' },
];

export function StudioPage() {
  const search = route.useSearch();
  return (
    <Page
      title="Studio"
      lead="Your videos in every state. What happens to them shows here at once."
      actions={
        <>
          <Link to="/studio/analytics" className={buttonClass}>
            <ChartColumn aria-hidden size={18} />
            Analytics
          </Link>
          <Link to="/studio/upload" className={buttonClass} data-look="primary">
            <Plus aria-hidden size={18} />
            Upload
          </Link>
        </>
      }
    >
      <nav className={styles.filters} aria-label="Filter by state">
        {FILTERS.map(({ status, label }) => (
          <Link key={label} to="/studio" search={{ status }} activeOptions={{ exact: true, includeSearch: true }}>
            {label}
          </Link>
        ))}
      </nav>
      <Videos status={search.status} />
    </Page>
  );
}

function Videos({ status }: { readonly status: Status | undefined }) {
  useOwnVideosLive();
  const hidden = useHiddenVideos();
  const { data, error, refetch, isPending, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery(
    ownVideosQuery(status),
  );
  if (isPending) return <Skeleton lines={5} label="Loading your videos" />;
  if (data === undefined) return <Failure error={error} onRetry={() => void refetch()} />;
  const videos = data.pages.flatMap((page) => page.videos).filter(({ id }) => !hidden.has(id));
  const total =
    data.pages[0]!.total -
    [...hidden].filter((id) => data.pages.some((page) => page.videos.some((video) => video.id === id))).length;
  if (videos.length === 0 && !hasNextPage) return <NoVideos status={status} />;
  return (
    <>
      <p className="visually-hidden" role="status">
        {formatCount(total)} {total === 1 ? 'video' : 'videos'}
      </p>
      <ul className={styles.videos}>
        {videos.map((video) => (
          <VideoRow key={video.id} video={video} />
        ))}
      </ul>
      <p className={styles.more}>
        {formatCount(videos.length)} of {formatCount(total)}
        {hasNextPage && (
          <Button onClick={() => void fetchNextPage()} busy={isFetchingNextPage}>
            Show more
          </Button>
        )}
      </p>
    </>
  );
}

function NoVideos({ status }: { readonly status: Status | undefined }) {
  if (status !== undefined)
    return (
      <Empty
        title={
          { ready: 'No video is ready', processing: 'Nothing is being processed', failed: 'No video has failed' }[
            status
          ]
        }
        action={
          <Link to="/studio" className={buttonClass}>
            Show all videos
          </Link>
        }
      />
    );
  return (
    <Empty
      title="Your first video goes here"
      icon={Clapperboard}
      action={
        <Link to="/studio/upload" className={buttonClass} data-look="primary">
          Upload a video
        </Link>
      }
    >
      An MP4 of up to 60 seconds and 50 MB. It can be watched within seconds.
    </Empty>
  );
}
