import { Link } from '@tanstack/react-router';
import { formatMoment } from '../../../format.ts';
import { inWords } from './historyInWords.ts';
import type { HistoryEntry } from './ownVideos.ts';
import styles from './Timeline.module.css';

interface TimelineProps {
  readonly videoId: string;
  readonly history: readonly HistoryEntry[];
}

/** What happened to a video, newest first: the events of its stream. */
export function Timeline({ videoId, history }: TimelineProps) {
  return (
    <section className={styles.history} aria-labelledby="history">
      <h2 id="history">History</h2>
      <p className={styles.lead}>Every event of this video, as the log has it. Times are yours.</p>
      <ol>
        {history.toReversed().map((entry) => {
          const { title, detail, tone, icon: Icon } = inWords(entry);
          return (
            <li key={entry.revision} data-tone={tone}>
              <span className={styles.dot}>
                <Icon aria-hidden size={16} />
              </span>
              <div>
                <h3>{title}</h3>
                {detail !== undefined && <p className={styles.detail}>{detail}</p>}
                <p className={styles.when}>
                  <time dateTime={entry.time}>{formatMoment(entry.time)}</time>
                  <Link
                    to="/studio/analytics"
                    search={{ videoId, asOf: entry.time, range: 'all' }}
                    aria-label={`Numbers at that time: ${title}`}
                  >
                    Numbers at that time
                  </Link>
                </p>
              </div>
            </li>
          );
        })}
      </ol>
    </section>
  );
}
