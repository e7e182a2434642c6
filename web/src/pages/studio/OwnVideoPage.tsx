import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { ExternalLink, Trash2 } from 'lucide-react';
import { Button, buttonClass } from '../../components/Button.tsx';
import { NotFound } from '../../components/NotFound.tsx';
import { Page } from '../../components/Page.tsx';
import { Failure, Skeleton } from '../../components/States.tsx';
import { ApiError } from '../../api/apiError.ts';
import styles from './OwnVideoPage.module.css';
import { DetailsForm } from './videos/DetailsForm.tsx';
import { ModerationNotice } from './videos/ModerationNotice.tsx';
import { OwnPlayer } from './videos/OwnPlayer.tsx';
import { ownVideoQuery, useOwnVideosLive } from './videos/ownVideos.ts';
import { deleteWithUndo } from './videos/pendingDeletes.ts';
import { Timeline } from './videos/Timeline.tsx';
import { VideoNumbers } from './videos/VideoNumbers.tsx';

const route = getRouteApi('/members/studio/videos/$videoId');

export function OwnVideoPage() {
  const { videoId } = route.useParams();
  useOwnVideosLive();
  const { data, error, refetch, isPending } = useQuery(ownVideoQuery(videoId));
  const navigate = useNavigate();
  if (isPending)
    return (
      <Page title="Video">
        <Skeleton lines={5} label="Loading the video" />
      </Page>
    );
  if (error instanceof ApiError && [403, 404].includes(error.status)) return <NotFound />;
  if (data === undefined)
    return (
      <Page title="Video">
        <Failure error={error} onRetry={() => void refetch()} />
      </Page>
    );
  const { video } = data;
  return (
    <Page
      title={video.title}
      lead={
        <Link to="/studio" className={styles.back}>
          ← All videos
        </Link>
      }
      actions={
        <>
          {video.status === 'ready' && (
            <Link to="/v/$videoId" params={{ videoId }} className={buttonClass}>
              <ExternalLink aria-hidden size={18} />
              Watch
            </Link>
          )}
          <Button
            look="danger"
            onClick={() => {
              deleteWithUndo(video);
              void navigate({ to: '/studio', ignoreBlocker: true });
            }}
          >
            <Trash2 aria-hidden size={18} />
            Delete
          </Button>
        </>
      }
    >
      <ModerationNotice moderation={video.moderation} />
      <div className={styles.columns}>
        <div className={styles.side}>
          <OwnPlayer video={video} />
          <Timeline videoId={videoId} history={data.history} />
        </div>
        <div className={styles.side}>
          <DetailsForm key={videoId} current={data} />
          {video.status === 'ready' && <VideoNumbers videoId={videoId} />}
        </div>
      </div>
    </Page>
  );
}
