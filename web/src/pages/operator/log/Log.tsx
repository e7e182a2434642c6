import { Pause, Play } from 'lucide-react';
import { useState } from 'react';
import { Badge } from '../../../components/Badge.tsx';
import { Button } from '../../../components/Button.tsx';
import { Empty, Failure, Skeleton } from '../../../components/States.tsx';
import { formatCount, formatMoment } from '../../../format.ts';
import styles from '../Operator.module.css';
import { route } from '../route.ts';
import { EventPanel } from './EventPanel.tsx';
import { LogFilters } from './LogFilters.tsx';
import type { LogEvent, LogFilter } from './logEvents.ts';
import { useLog } from './useLog.ts';

/** The filter lies in the address. */
export default function Log() {
  const { type, category, stream, correlationId } = route.useSearch();
  const filter = {
    ...(type && { type }),
    ...(category && { category }),
    ...(stream && { stream }),
    ...(correlationId && { correlationId }),
  };
  const key = JSON.stringify(filter);
  return (
    <>
      <LogFilters key={`form ${key}`} filter={filter} />
      <Events key={key} filter={filter} />
    </>
  );
}

function Events({ filter }: { readonly filter: LogFilter }) {
  const { event } = route.useSearch();
  const navigate = route.useNavigate();
  const [paused, setPaused] = useState(false);
  const { events, state, held, older, isFull } = useLog(filter, paused);
  const open = (position: string | undefined): void =>
    void navigate({ search: (search) => ({ ...search, event: position }), replace: event !== undefined });

  return (
    <>
      <div className={`${styles.row} ${styles.spread}`}>
        <div className={styles.row}>
          <Button onClick={() => setPaused(!paused)} aria-pressed={paused}>
            {paused ? <Play aria-hidden size={18} /> : <Pause aria-hidden size={18} />}
            {paused ? 'Resume' : 'Pause'}
          </Button>
          {paused ? (
            <Badge tone="warn">Paused · {formatCount(held)} new</Badge>
          ) : (
            <Badge tone={state === 'live' ? 'good' : 'warn'}>{state === 'live' ? 'Live' : 'Connecting'}</Badge>
          )}
        </div>
        <span className={styles.soft}>{formatCount(events.length)} shown</span>
      </div>
      {older.isPending && <Skeleton lines={8} label="Loading the log" />}
      {older.isError && <Failure error={older.error} onRetry={() => void older.refetch()} />}
      {older.isSuccess && events.length === 0 && (
        <Empty title="No such events yet">New ones show here at once. Change the filter to see others.</Empty>
      )}
      {events.length > 0 && (
        <ol className={styles.events} aria-label="Events, the newest first">
          {events.map((each) => (
            <li key={each.position}>
              <EventRow event={each} onOpen={() => open(each.position)} />
            </li>
          ))}
        </ol>
      )}
      <div className={styles.more}>
        {older.hasNextPage && (
          <Button onClick={() => void older.fetchNextPage()} busy={older.isFetchingNextPage}>
            Show older
          </Button>
        )}
        {isFull && <p className={styles.soft}>Filter to go further back.</p>}
      </div>
      <EventPanel position={event} onOpen={open} />
    </>
  );
}

function EventRow({ event, onOpen }: { readonly event: LogEvent; readonly onOpen: () => void }) {
  return (
    <button type="button" className={styles.event} onClick={onOpen} aria-haspopup="dialog">
      <span className={styles.soft}>#{event.position}</span>
      <strong>{event.type}</strong>
      <code>{event.stream}</code>
      <time className={styles.soft} dateTime={event.time}>
        {formatMoment(event.time)}
      </time>
    </button>
  );
}
