import type { RecordedEvent } from '../../src/core/event.ts';
import type { VideoEvent } from '../../src/features/videos/events.ts';
import type { VideoRow } from './tables.ts';

/** A video's row after one more event of its stream. An event that is in the row already changes nothing. */
export function evolveVideo(row: VideoRow | undefined, event: RecordedEvent<VideoEvent>): VideoRow {
  if (row !== undefined && event.revision <= row.revision) return row;
  if (event.type === 'VideoUploaded') return uploaded(event);
  if (row === undefined) throw new Error(`${event.type} in ${event.stream}, which has no VideoUploaded`);
  const changed = { ...row, updated_at: new Date(event.data.at), revision: event.revision };
  switch (event.type) {
    case 'VideoProcessed': {
      const { video, thumbnail, facts } = event.data;
      return {
        ...changed,
        ...facts,
        status: 'ready',
        video_key: video.key,
        thumbnail_key: thumbnail.key,
        failure: null,
      };
    }
    case 'VideoProcessingFailed':
      return { ...changed, status: 'failed', failure: event.data.reason };
    case 'VideoProcessingRetried':
      return { ...changed, status: 'processing', failure: null };
    case 'VideoDetailsChanged':
      return { ...changed, title: event.data.title, description: event.data.description };
    case 'VideoVisibilityChanged':
      return { ...changed, visibility: event.data.visibility };
    case 'VideoFilesMoved':
      // Not a change that its owner made.
      return { ...changed, updated_at: row.updated_at, files_access: event.data.access };
    case 'VideoLadderMade':
      return { ...changed, updated_at: row.updated_at, hls_key: event.data.hls.master.key };
    case 'VideoStoryboardMade':
      return { ...changed, updated_at: row.updated_at, storyboard_key: event.data.storyboard.key };
    case 'VideoPreviewMade':
      return { ...changed, updated_at: row.updated_at, preview_key: event.data.preview.key };
    case 'VideoHidden':
      return { ...changed, moderation: 'hidden' };
    case 'VideoRestored':
      return { ...changed, moderation: null };
    case 'VideoRemoved':
      return { ...changed, moderation: 'removed' };
    case 'VideoDeleted':
      return { ...changed, deleted_at: changed.updated_at };
    case 'VideoTextErased':
      return { ...changed, updated_at: row.updated_at, title: '', description: '' };
  }
}

/** Whether the feed shows it. */
export function isListed(row: VideoRow | undefined): boolean {
  return row?.status === 'ready' && row.visibility === 'public' && row.moderation === null && row.deleted_at === null;
}

function uploaded({ data, revision }: RecordedEvent<Extract<VideoEvent, { type: 'VideoUploaded' }>>): VideoRow {
  const at = new Date(data.at);
  return {
    id: data.videoId,
    owner_id: data.ownerId,
    title: data.title,
    description: data.description,
    status: 'processing',
    video_key: null,
    thumbnail_key: null,
    visibility: data.visibility,
    files_access: data.visibility === 'private' ? 'private' : 'public',
    moderation: null,
    hls_key: null,
    storyboard_key: null,
    preview_key: null,
    duration: data.facts.duration,
    width: data.facts.width,
    height: data.facts.height,
    failure: null,
    created_at: at,
    updated_at: at,
    deleted_at: null,
    revision,
  };
}
