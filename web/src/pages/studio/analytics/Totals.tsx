import { formatCount, formatPercent } from '../../../format.ts';
import { engagementOf, totalsOf } from './dayNumbers.ts';
import styles from './Totals.module.css';
import type { Report } from './useNumbers.ts';

interface TotalsProps {
  readonly report: Report;
  /** Nothing happened before it, so nothing is compared with earlier days. */
  readonly firstDay: string;
}

/** The numbers of the whole range, and how they differ from those of as many days before. */
export function Totals({ report: { days, before }, firstDay }: TotalsProps) {
  const now = totalsOf(days);
  const isComparable = before[0] !== undefined && before[0].day >= firstDay;
  const then = totalsOf(isComparable ? before : []);
  const engagement = engagementOf(now);
  const engagementThen = engagementOf(then);
  const tiles = [
    { label: 'Views', value: formatCount(now.views), change: changeOf(now.views, then.views), color: 1 },
    { label: 'Likes', value: formatCount(now.likes), change: changeOf(now.likes, then.likes), color: 2 },
    { label: 'Uploads', value: formatCount(now.uploads), change: changeOf(now.uploads, then.uploads), color: 3 },
    {
      label: 'Engagement',
      value: engagement === null ? '–' : formatPercent(engagement),
      change: engagement === null || engagementThen === null ? undefined : changeOf(engagement, engagementThen),
      color: 4,
    },
  ];
  return (
    <dl className={styles.totals}>
      {tiles.map(({ label, value, change, color }) => (
        <div key={label} className={styles.tile} data-color={color}>
          <dt>{label}</dt>
          <dd className={styles.value}>{value}</dd>
          <dd className={styles.change} data-rising={change === undefined ? undefined : change > 0}>
            {change === undefined ? (
              `in ${days.length === 1 ? 'one day' : `${days.length} days`}`
            ) : (
              <>
                <strong>{comparison(change)}</strong> {days.length === 1 ? 'the day' : `the ${days.length} days`} before
              </>
            )}
          </dd>
        </div>
      ))}
    </dl>
  );
}

function comparison(change: number): string {
  if (change === 0) return 'As many as';
  return change > 0 ? `▲ ${formatPercent(change)} more than` : `▼ ${formatPercent(-change)} less than`;
}

/** 0.5 for one half more; undefined when there is nothing to compare with. */
function changeOf(now: number, then: number): number | undefined {
  return then <= 0 ? undefined : (now - then) / then;
}
