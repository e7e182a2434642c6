import { lazy, Suspense, type ReactNode } from 'react';
import { formatCount, formatDay } from '../format.ts';
import styles from './Chart.module.css';

const ChartCanvas = lazy(() => import('./ChartCanvas.tsx'));

export interface ChartSeries {
  readonly label: string;
  /** One for each day; null where there is no number. */
  readonly values: readonly (number | null)[];
  readonly look: 'bars' | 'line';
  /** Which of the colours `--series-1` to `--series-4`. */
  readonly color: 1 | 2 | 3 | 4;
}

export interface ChartProps {
  readonly title: string;
  /** What the chart shows, in a sentence: for those who cannot see it, and below the title for all others. */
  readonly summary: ReactNode;
  /** Days in UTC, `YYYY-MM-DD`, in order and without gaps. */
  readonly days: readonly string[];
  readonly series: readonly ChartSeries[];
  /** A whole number by default. */
  readonly format?: (value: number) => string;
  /** Pixels. */
  readonly height?: number;
  /** Nothing is known after this moment; the chart shows where it is. */
  readonly until?: Date | undefined;
  /** A number was chosen, in the chart or in its table. */
  readonly onPick?: (day: string, series: ChartSeries) => void;
}

/** Numbers by day: a chart, and the same numbers as a table. The code that draws is loaded when the first one is shown. */
export function Chart(props: ChartProps) {
  const { title, summary, height = 220, series } = props;
  return (
    <figure className={styles.chart}>
      <figcaption className={styles.caption}>
        <h3>{title}</h3>
        <p>{summary}</p>
      </figcaption>
      {series.length > 1 && (
        <ul className={styles.legend}>
          {series.map(({ label, color }) => (
            <li key={label} data-color={color}>
              {label}
            </li>
          ))}
        </ul>
      )}
      {/* The table below says the same. */}
      <div className={styles.canvas} aria-hidden style={{ height }}>
        <Suspense fallback={<div className={styles.waiting} style={{ height }} aria-busy="true" />}>
          <ChartCanvas {...props} height={height} />
        </Suspense>
      </div>
      <details className={styles.details}>
        <summary>
          Numbers as a table<span className="visually-hidden">: {title}</span>
        </summary>
        <Table {...props} />
      </details>
    </figure>
  );
}

function Table({ title, days, series, format = formatCount, onPick }: ChartProps) {
  const rows = days
    .map((day, index) => ({ day, values: series.map(({ values }) => values[index] ?? null) }))
    .filter(({ values }) => values.some((value) => value !== null && value !== 0))
    .reverse();
  if (rows.length === 0) return <p className={styles.nothing}>Nothing happened on these days.</p>;
  return (
    <div className={styles.scroll} tabIndex={0} role="region" aria-label={`${title} by day`}>
      <table>
        <thead>
          <tr>
            <th scope="col">Day (UTC)</th>
            {series.map(({ label }) => (
              <th scope="col" key={label}>
                {label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ day, values }) => (
            <tr key={day}>
              <th scope="row">{formatDay(day)}</th>
              {values.map((value, index) => (
                <td key={series[index]!.label}>
                  {value !== null && onPick !== undefined ? (
                    <button
                      type="button"
                      aria-label={`${format(value)} ${series[index]!.label} on ${formatDay(day)}: show the events`}
                      onClick={() => onPick(day, series[index]!)}
                    >
                      {format(value)}
                    </button>
                  ) : (
                    (value !== null && format(value)) || '–'
                  )}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
