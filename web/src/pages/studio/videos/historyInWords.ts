import {
  CircleAlert,
  CircleCheck,
  Dot,
  Eye,
  FolderSync,
  Image,
  Layers,
  PencilLine,
  ShieldAlert,
  ShieldCheck,
  RotateCcw,
  Trash2,
  Upload,
  type LucideIcon,
} from 'lucide-react';
import { formatBytes, formatDuration } from '../../../format.ts';
import type { HistoryEntry } from './ownVideos.ts';

export interface Happening {
  readonly title: string;
  readonly detail?: string | undefined;
  readonly icon: LucideIcon;
  readonly tone?: 'good' | 'bad';
}

/** An event for its owner. One of a type that this page does not know has its own name. */
export function inWords({ type, data }: HistoryEntry): Happening {
  switch (type) {
    case 'VideoUploaded':
      return {
        title: 'Uploaded',
        detail: [quoted(data['title']), file(data)].filter(Boolean).join(', '),
        icon: Upload,
      };
    case 'VideoProcessed':
      return { title: 'Ready to play', detail: file(data), icon: CircleCheck, tone: 'good' };
    case 'VideoProcessingFailed':
      return { title: 'Processing failed', detail: text(data['reason']), icon: CircleAlert, tone: 'bad' };
    case 'VideoProcessingRetried':
      return { title: 'Processing tried again', icon: RotateCcw };
    case 'VideoDetailsChanged':
      return { title: 'Title or description changed', detail: quoted(data['title']), icon: PencilLine };
    case 'VideoVisibilityChanged':
      return {
        title: 'Visibility changed',
        detail: data['visibility'] === undefined ? undefined : `Now ${text(data['visibility'])}`,
        icon: Eye,
      };
    case 'VideoFilesMoved':
      return {
        title: 'Files moved',
        detail: data['access'] === 'private' ? 'Only signed links open them' : 'Plain links open them',
        icon: FolderSync,
      };
    case 'VideoLadderMade':
      return { title: 'Sizes for streaming made', icon: Layers };
    case 'VideoStoryboardMade':
      return { title: 'Pictures for the seek bar made', icon: Image };
    case 'VideoPreviewMade':
      return { title: 'Silent preview made', icon: Image };
    case 'VideoHidden':
      return { title: 'Hidden by a moderator', detail: text(data['reason']), icon: ShieldAlert, tone: 'bad' };
    case 'VideoRestored':
      return { title: 'Shown again by a moderator', detail: text(data['reason']), icon: ShieldCheck, tone: 'good' };
    case 'VideoRemoved':
      return { title: 'Removed by a moderator', detail: text(data['reason']), icon: ShieldAlert, tone: 'bad' };
    case 'VideoDeleted':
      return { title: 'Deleted', icon: Trash2, tone: 'bad' };
    default:
      return { title: type, icon: Dot };
  }
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function quoted(value: unknown): string | undefined {
  return typeof value === 'string' ? `“${value}”` : undefined;
}

/** Such as 1080 × 1920, 0:12, 3.4 MB. */
function file({ width, height, duration, size }: HistoryEntry['data']): string {
  return [
    typeof width === 'number' && typeof height === 'number' && `${width} × ${height}`,
    typeof duration === 'number' && formatDuration(duration),
    typeof size === 'number' && formatBytes(size),
  ]
    .filter(Boolean)
    .join(', ');
}
