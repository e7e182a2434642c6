import { api } from '../../../api/client.ts';
import type { LiveEvent } from '../../../live/connection.ts';
import { useLiveEvents, useUploadProgress } from '../../../live/useLiveEvents.ts';
import { changeUpload, currentUploads } from './uploads.ts';

/** Keeps the uploads on this page in step with what the server does with their videos. */
export function useProcessingLive(userId: string | undefined): void {
  useUploadProgress(userId, ({ videoId, progress, stage }) => {
    const item = processing(videoId);
    if (item !== undefined && progress >= item.progress) changeUpload(item.id, { progress, stage });
  });
  const onEvent = ({ type, data }: LiveEvent): void => {
    const item = processing(data?.['videoId']);
    if (item === undefined) return;
    if (type === 'VideoProcessed') changeUpload(item.id, { state: 'ready', progress: 100 });
    if (type === 'VideoProcessingFailed')
      changeUpload(item.id, { state: 'failed', reason: String(data?.['reason'] ?? 'It could not be processed.') });
  };
  // Its video may have become ready while nobody listened.
  useLiveEvents(userId === undefined ? [] : ['me'], onEvent, (position) => void catchUp(position));
}

const processing = (videoId: unknown) =>
  currentUploads().find((item) => item.videoId === videoId && item.state === 'processing');

async function catchUp(position: string): Promise<void> {
  for (const { id, videoId, state } of currentUploads()) {
    if (state !== 'processing' || videoId === undefined) continue;
    const params = { path: { videoId }, header: { 'X-Min-Position': position } };
    const answer = await api.GET('/api/v1/video/{videoId}', { params }).catch(() => undefined);
    const status = answer?.data?.data.video.status;
    if (status === 'ready') changeUpload(id, { state: 'ready', progress: 100 });
    if (status === 'failed') changeUpload(id, { state: 'failed', reason: 'It could not be processed.' });
  }
}
