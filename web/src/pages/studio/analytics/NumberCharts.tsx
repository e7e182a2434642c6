import { useMemo } from 'react';
import { Chart, type ChartSeries } from '../../../components/Chart.tsx';
import { formatPercent, formatShortCount } from '../../../format.ts';
import { engagementOf, summaryOf, totalsOf } from './dayNumbers.ts';
import styles from './NumberCharts.module.css';
import { numbers, type NumberName } from './search.ts';
import type { Report } from './useNumbers.ts';

interface NumberChartsProps {
  readonly report: Report;
  /** A number was chosen, to see the events behind it. */
  readonly onPick: (day: string, number: NumberName) => void;
}

const labels: Readonly<Record<NumberName, string>> = { views: 'Views', likes: 'Likes', uploads: 'Uploads' };

/** Each number by day. */
export function NumberCharts({ report, onPick }: NumberChartsProps) {
  const { days, question } = report;
  const until = useMemo(() => (question.asOf === undefined ? undefined : new Date(question.asOf)), [question.asOf]);
  const names = useMemo(() => days.map(({ day }) => day), [days]);
  const series = useMemo(
    () =>
      numbers.map((name, index): [ChartSeries] => [
        { label: labels[name], values: days.map((day) => day[name]), look: 'bars', color: (index + 1) as 1 | 2 | 3 },
      ]),
    [days],
  );
  const engagement = useMemo(
    (): [ChartSeries] => [{ label: 'Engagement', values: days.map(engagementOf), look: 'line', color: 4 }],
    [days],
  );
  return (
    <div className={styles.charts}>
      {numbers.map((name, index) => (
        <Chart
          key={name}
          title={labels[name]}
          summary={summaryOf(days, name)}
          days={names}
          series={series[index]!}
          format={formatShortCount}
          height={name === 'views' ? 260 : 180}
          until={until}
          onPick={(day) => onPick(day, name)}
        />
      ))}
      <Chart
        title="Engagement"
        summary={engagementInWords(engagementOf(totalsOf(days)))}
        days={names}
        series={engagement}
        format={formatPercent}
        height={180}
        until={until}
      />
    </div>
  );
}

function engagementInWords(engagement: number | null): string {
  if (engagement === null) return 'Likes for each view. There were no views.';
  return `Likes for each view: ${formatPercent(engagement)} over all days.`;
}
