import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useEffect } from 'react';
import { ApiError } from '../../api/apiError.ts';
import { queryClient } from '../../api/queryClient.ts';
import { NotFound } from '../../components/NotFound.tsx';
import { Failure } from '../../components/States.tsx';
import { useUploadProgress } from '../../live/useLiveEvents.ts';
import { useUser } from '../../session/useSession.ts';
import { useLiveVideo } from '../../videos/useLiveVideo.ts';
import { videoQuery } from '../../videos/videoQueries.ts';
import { NotReady } from './NotReady.tsx';
import { WatchOne } from './WatchOne.tsx';
import styles from './VideoPage.module.css';

const route = getRouteApi('/v/$videoId');

/** One video: where a shared link leads. */
export function VideoPage() {
  const { videoId } = route.useParams();
  const { data, error, refetch } = useQuery(videoQuery(videoId));
  const user = useUser();
  const isOwn = data !== undefined && user?.id === data.video.uploadedBy;
  useLiveVideo(data?.video.status === 'ready' ? videoId : undefined, { isOwn });

  const isWaiting = data?.video.status === 'processing';
  useUploadProgress(isWaiting ? user?.id : undefined, (progress) => {
    if (progress.videoId === videoId && progress.progress >= 100)
      void queryClient.invalidateQueries({ queryKey: videoQuery(videoId).queryKey });
  });
  // Progress is not sent again to somebody who was away.
  useEffect(() => {
    if (!isWaiting) return;
    const timer = setInterval(() => void refetch(), 5_000);
    return () => clearInterval(timer);
  }, [isWaiting, refetch]);

  if (error instanceof ApiError && (error.status === 404 || error.status === 400)) return <NotFound />;
  if (data !== undefined && data.video.status !== 'ready') return <NotReady video={data.video} />;
  if (data !== undefined) return <WatchOne key={videoId} watched={data} />;
  if (error !== null) return <Failure error={error} onRetry={() => void refetch()} />;
  return (
    <div className={styles.loading} role="status">
      <span className="visually-hidden">Loading the video</span>
      <span className={styles.ghost} aria-hidden />
    </div>
  );
}
