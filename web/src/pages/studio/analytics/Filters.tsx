import { useInfiniteQuery } from '@tanstack/react-query';
import { useEffect } from 'react';
import { Select } from '../../../components/Field.tsx';
import { ownVideosQuery } from '../videos/ownVideos.ts';
import { DraftField } from './DraftField.tsx';
import styles from './Filters.module.css';
import { presetLabels, type Range } from './range.ts';
import { FIRST_DAY, LAST_DAY, presets, type AnalyticsSearch } from './search.ts';

interface FiltersProps {
  readonly search: AnalyticsSearch;
  readonly range: Range;
  readonly onChange: (changes: Partial<AnalyticsSearch>) => void;
}

/** Which days, and which video. */
export function Filters({ search, range, onChange }: FiltersProps) {
  const chosen = search.from === undefined ? (search.range ?? '28d') : undefined;
  const days = (from: string, to: string): void => {
    if (FIRST_DAY <= from && from <= to && to <= LAST_DAY) onChange({ from, to, range: undefined });
  };
  return (
    <div className={styles.filters}>
      <div className={styles.presets} role="group" aria-label="Days">
        {presets.map((preset) => (
          <button
            key={preset}
            type="button"
            aria-pressed={preset === chosen}
            onClick={() => onChange({ range: preset, from: undefined, to: undefined })}
          >
            {presetLabels[preset]}
          </button>
        ))}
      </div>
      <div className={styles.fields}>
        <DraftField
          label="From (UTC)"
          type="date"
          value={range.from}
          min={FIRST_DAY}
          max={range.to}
          onChange={(from) => days(from, range.to)}
        />
        <DraftField
          label="To (UTC)"
          type="date"
          value={range.to}
          min={range.from}
          max={LAST_DAY}
          onChange={(to) => days(range.from, to)}
        />
        <VideoFilter videoId={search.videoId} onChange={(videoId) => onChange({ videoId })} />
      </div>
    </div>
  );
}

interface VideoFilterProps {
  readonly videoId: string | undefined;
  readonly onChange: (videoId: string | undefined) => void;
}

function VideoFilter({ videoId, onChange }: VideoFilterProps) {
  const { data, hasNextPage, isFetchingNextPage, fetchNextPage } = useInfiniteQuery(ownVideosQuery());
  useEffect(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  const videos = data?.pages.flatMap((page) => page.videos) ?? [];
  const isListed = videoId === undefined || videos.some(({ id }) => id === videoId);
  return (
    <Select label="Video" value={videoId ?? ''} onChange={(event) => onChange(event.target.value || undefined)}>
      <option value="">All videos</option>
      {!isListed && <option value={videoId}>A video that was deleted</option>}
      {videos.map(({ id, title }) => (
        <option key={id} value={id}>
          {title}
        </option>
      ))}
    </Select>
  );
}
