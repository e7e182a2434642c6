import { useInfiniteQuery } from '@tanstack/react-query';
import { useEffect } from 'react';
import { Field, Select } from '../../../components/Field.tsx';
import { ownVideosQuery } from '../videos/ownVideos.ts';
import styles from './Filters.module.css';
import { presetLabels, type Range } from './range.ts';
import { presets, type AnalyticsSearch } from './search.ts';

interface FiltersProps {
  readonly search: AnalyticsSearch;
  readonly range: Range;
  readonly onChange: (changes: Partial<AnalyticsSearch>) => void;
}

/** Which days, and which video. */
export function Filters({ search, range, onChange }: FiltersProps) {
  const chosen = search.from === undefined ? (search.range ?? '28d') : undefined;
  const days = (from: string, to: string): void => {
    if (from !== '' && to !== '' && from <= to) onChange({ from, to, range: undefined });
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
        <Field
          label="From (UTC)"
          type="date"
          required
          value={range.from}
          max={range.to}
          onChange={(event) => days(event.target.value, range.to)}
        />
        <Field
          label="To (UTC)"
          type="date"
          required
          value={range.to}
          min={range.from}
          onChange={(event) => days(range.from, event.target.value)}
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
