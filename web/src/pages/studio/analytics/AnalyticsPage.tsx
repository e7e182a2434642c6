import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { ChartColumn, Download } from 'lucide-react';
import { useState } from 'react';
import { Button, buttonClass } from '../../../components/Button.tsx';
import { Page } from '../../../components/Page.tsx';
import { Empty, Failure, Skeleton } from '../../../components/States.tsx';
import { showToast } from '../../../components/toastStore.ts';
import { messageOf } from '../videos/ownVideos.ts';
import styles from './AnalyticsPage.module.css';
import { downloadCsv } from './downloadCsv.ts';
import { EventsPanel } from './EventsPanel.tsx';
import { Filters } from './Filters.tsx';
import { NumbersNotice } from './NumbersNotice.tsx';
import { NumberCharts } from './NumberCharts.tsx';
import { rangeInWords, rangeOf } from './range.ts';
import { RuleInWords } from './RuleInWords.tsx';
import type { AnalyticsSearch } from './search.ts';
import { TimeSlider } from './TimeSlider.tsx';
import { TopVideos } from './TopVideos.tsx';
import { Totals } from './Totals.tsx';
import { firstDayQuery, useNumbers } from './useNumbers.ts';

const route = getRouteApi('/members/studio/analytics');

export function AnalyticsPage() {
  const { data: firstDay, error, refetch, isPending } = useQuery(firstDayQuery());
  if (typeof firstDay === 'string') return <Analytics firstDay={firstDay} />;
  return (
    <Page title="Analytics">
      {isPending && <Skeleton lines={6} label="Loading the numbers" />}
      {error !== null && <Failure error={error} onRetry={() => void refetch()} />}
      {firstDay === null && (
        <Empty
          title="No numbers yet"
          icon={ChartColumn}
          action={
            <Link to="/studio/upload" className={buttonClass} data-look="primary">
              Upload a video
            </Link>
          }
        >
          Views and likes are counted from the moment your first video is ready.
        </Empty>
      )}
    </Page>
  );
}

function Analytics({ firstDay }: { readonly firstDay: string }) {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  // The end of the slider. Later moments belong to a new visit, so that its ends do not move.
  const [now] = useState(Date.now);
  const { videoId, asOf, day, number } = search;
  const range = rangeOf(search, firstDay, now);
  const question = { ...range, ...(videoId !== undefined && { videoId }), ...(asOf !== undefined && { asOf }) };
  const { report, isLoading, error, retry } = useNumbers(question);

  const change = (changes: Partial<AnalyticsSearch>, replace = false): void =>
    void navigate({ search: (now: AnalyticsSearch) => ({ ...now, ...changes }), replace, resetScroll: false });

  const save = (): void =>
    void downloadCsv(question).catch((error: unknown) => showToast(messageOf(error), { tone: 'bad' }));

  return (
    <Page
      title="Analytics"
      lead={`${rangeInWords(range)}. Days are those of UTC.`}
      actions={
        <Button onClick={save}>
          <Download aria-hidden size={18} />
          CSV
        </Button>
      }
    >
      <Filters search={search} range={range} onChange={change} />
      <TimeSlider
        from={Date.parse(firstDay)}
        to={now}
        value={asOf}
        position={report?.question.asOf === asOf ? report?.position : undefined}
        isLoading={isLoading}
        onChange={(asOf) => change({ asOf }, true)}
      />
      {error !== null && <NumbersNotice error={error} hasReport={report !== undefined} onRetry={retry} />}
      {report === undefined && error === null && <Skeleton lines={6} label="Loading the numbers" />}
      {report !== undefined && (
        <div className={styles.report} aria-busy={isLoading}>
          <Totals report={report} firstDay={firstDay} />
          <NumberCharts report={report} onPick={(day, number) => change({ day, number })} />
          <div className={styles.foot}>
            <TopVideos videos={report.topVideos} chosen={videoId} onChoose={(videoId) => change({ videoId })} />
            <RuleInWords rule={report.rule} />
          </div>
        </div>
      )}
      <EventsPanel
        question={day !== undefined && number !== undefined ? { day, number, videoId, asOf } : undefined}
        onClose={() => change({ day: undefined, number: undefined }, true)}
      />
    </Page>
  );
}
