import { Link } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { Chart, type ChartSeries } from '../../../components/Chart.tsx';
import { Skeleton } from '../../../components/States.tsx';
import { formatCount, formatPercent, formatShortCount } from '../../../format.ts';
import { engagementOf, summaryOf, totalsOf } from '../analytics/dayNumbers.ts';
import { NumbersNotice } from '../analytics/NumbersNotice.tsx';
import { rangeOf } from '../analytics/range.ts';
import { useNumbers } from '../analytics/useNumbers.ts';
import styles from './VideoNumbers.module.css';

/** The numbers of one video in the last 28 days. */
export function VideoNumbers({ videoId }: { readonly videoId: string }) {
  const [now] = useState(Date.now);
  const { report, error, retry } = useNumbers({ ...rangeOf({}, '', now), videoId });
  const days = report?.days;
  const series = useMemo(
    (): [ChartSeries] => [{ label: 'Views', values: days?.map(({ views }) => views) ?? [], look: 'bars', color: 1 }],
    [days],
  );
  const names = useMemo(() => days?.map(({ day }) => day) ?? [], [days]);
  return (
    <section className={styles.numbers} aria-labelledby="numbers">
      <header>
        <h2 id="numbers">Last 28 days</h2>
        <Link to="/studio/analytics" search={{ videoId }}>
          All its numbers
        </Link>
      </header>
      {error !== null && <NumbersNotice error={error} hasReport={report !== undefined} onRetry={retry} />}
      {days === undefined && error === null && <Skeleton lines={3} label="Loading the numbers" />}
      {days !== undefined && (
        <>
          <Facts {...totalsOf(days)} />
          <Chart
            title="Views"
            summary={summaryOf(days, 'views')}
            days={names}
            series={series}
            format={formatShortCount}
            height={160}
          />
        </>
      )}
    </section>
  );
}

function Facts(totals: ReturnType<typeof totalsOf>) {
  const engagement = engagementOf(totals);
  return (
    <dl className={styles.facts}>
      <div>
        <dt>Views</dt>
        <dd>{formatCount(totals.views)}</dd>
      </div>
      <div>
        <dt>Likes</dt>
        <dd>{formatCount(totals.likes)}</dd>
      </div>
      <div>
        <dt>Engagement</dt>
        <dd>{engagement === null ? '–' : formatPercent(engagement)}</dd>
      </div>
    </dl>
  );
}
