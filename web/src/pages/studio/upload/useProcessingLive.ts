import { useEffect } from 'react';
import { api } from '../../../api/client.ts';
import { useLiveEvents, useUploadProgress } from '../../../live/useLiveEvents.ts';
import { changeUpload, currentUploads } from './uploads.ts';

/** Keeps the uploads on this page in step with what the server does with their videos. */
export function useProcessingLive(userId: string | undefined): void {
  useUploadProgress(userId, ({ videoId, progress, stage }) => {
    const item = processing(videoId);
    if (item !== undefined && progress >= item.progress) changeUpload(item.id, { progress, stage });
  });
  const state = useLiveEvents(userId === undefined ? [] : ['me'], ({ type, data }) => {
    const item = processing(data?.['videoId']);
    if (item === undefined) return;
    if (type === 'VideoProcessed') changeUpload(item.id, { state: 'ready', progress: 100 });
    if (type === 'VideoProcessingFailed')
      changeUpload(item.id, { state: 'failed', reason: String(data?.['reason'] ?? 'It could not be processed.') });
  });
  useEffect(() => {
    // Its video may have become ready while nobody listened.
    if (state === 'live' || state === 'behind') void catchUp();
  }, [state]);
}

const processing = (videoId: unknown) =>
  currentUploads().find((item) => item.videoId === videoId && item.state === 'processing');

async function catchUp(): Promise<void> {
  for (const { id, videoId, state } of currentUploads()) {
    if (state !== 'processing' || videoId === undefined) continue;
    const answer = await api.GET('/api/v1/video/{videoId}', { params: { path: { videoId } } }).catch(() => undefined);
    const status = answer?.data?.data.video.status;
    if (status === 'ready') changeUpload(id, { state: 'ready', progress: 100 });
    if (status === 'failed') changeUpload(id, { state: 'failed', reason: 'It could not be processed.' });
  }
}
