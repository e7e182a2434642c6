import { Flag, Heart, Share2, Volume2, VolumeX } from 'lucide-react';
import type { Video } from '../api/types.ts';
import { formatCount, formatCounted } from '../videos/format.ts';
import { share } from '../videos/share.ts';
import { useReport } from '../videos/useReport.tsx';
import { RailButton } from './RailButton.tsx';
import { setMuted, useMuted } from './sound.ts';

interface RailProps {
  readonly video: Pick<Video, 'id' | 'title' | 'likeCount' | 'uploadedBy'>;
  readonly isLiked: boolean;
  readonly onLike: (like: boolean) => void;
}

/** What a reader does with a video. */
export function Rail({ video, isLiked, onLike }: RailProps) {
  const muted = useMuted();
  const { open: report, dialog } = useReport(video);
  return (
    <>
      <RailButton
        icon={Heart}
        filled={isLiked}
        text={formatCount(video.likeCount)}
        aria-label={`Like, ${formatCounted(video.likeCount, 'like')}`}
        aria-pressed={isLiked}
        aria-keyshortcuts="l"
        onClick={() => onLike(!isLiked)}
      />
      <RailButton icon={Share2} text="Share" aria-label="Share" onClick={() => void share(video)} />
      <RailButton
        icon={muted ? VolumeX : Volume2}
        text="Sound"
        aria-label="Sound"
        aria-pressed={!muted}
        aria-keyshortcuts="m"
        onClick={() => setMuted(!muted)}
      />
      {report !== undefined && <RailButton icon={Flag} text="Report" aria-label="Report" onClick={report} />}
      {dialog}
    </>
  );
}
