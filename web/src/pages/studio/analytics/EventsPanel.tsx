import { useInfiniteQuery } from '@tanstack/react-query';
import { X } from 'lucide-react';
import { useEffect, useRef } from 'react';
import { answerOf, api } from '../../../api/client.ts';
import { Button } from '../../../components/Button.tsx';
import { Failure, Skeleton } from '../../../components/States.tsx';
import { formatCount, formatDay, formatMoment } from '../../../format.ts';
import { EventList } from './EventList.tsx';
import styles from './EventsPanel.module.css';
import type { NumberName } from './search.ts';

export interface ExplainQuestion {
  /** In UTC, `YYYY-MM-DD`. */
  readonly day: string;
  readonly number: NumberName;
  readonly videoId: string | undefined;
  readonly asOf: string | undefined;
}

interface EventsPanelProps {
  /** Closed without one. */
  readonly question: ExplainQuestion | undefined;
  readonly onClose: () => void;
}

/** The events behind a number, at the side of the page. */
export function EventsPanel({ question, onClose }: EventsPanelProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const isOpen = question !== undefined;
  useEffect(() => {
    if (isOpen) dialog.current?.showModal();
    else dialog.current?.close();
  }, [isOpen]);
  return (
    <dialog ref={dialog} className={styles.panel} onClose={onClose} closedby="any" aria-labelledby="events-title">
      {question !== undefined && <Events question={question} onClose={onClose} />}
    </dialog>
  );
}

function Events({
  question: { day, number, videoId, asOf },
  onClose,
}: EventsPanelProps & { readonly question: ExplainQuestion }) {
  const { data, error, isPending, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery({
    queryKey: ['analytics', 'events', day, number, videoId ?? null, asOf ?? null],
    queryFn: ({ pageParam, signal }) => {
      const query = {
        date: day,
        metric: number,
        limit: 50,
        ...(videoId !== undefined && { videoId }),
        ...(asOf !== undefined && { asOf }),
        ...(pageParam !== undefined && { cursor: pageParam }),
      };
      return answerOf(api.GET('/api/v1/analytics/explain', { params: { query }, signal }));
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ meta }) => meta?.nextCursor ?? undefined,
  });
  const count = data?.pages[0]?.meta?.count;
  const events = data?.pages.flatMap((page) => page.data) ?? [];
  return (
    <div className={styles.content}>
      <header className={styles.header}>
        <div>
          <h2 id="events-title">
            {count === undefined ? '' : `${formatCount(count)} `}
            {number} on {formatDay(day)}
          </h2>
          <p>
            The events that this number is the sum of, in the order of the log. The day is one of UTC; times are yours.
            {asOf !== undefined && ` As of ${formatMoment(asOf)}.`}
          </p>
        </div>
        <Button look="quiet" className={styles.close} onClick={onClose} aria-label="Close" autoFocus>
          <X aria-hidden size={20} />
        </Button>
      </header>
      {isPending && <Skeleton lines={6} label="Loading the events" />}
      {error !== null && <Failure error={error} onRetry={() => void refetch()} />}
      {data !== undefined && events.length === 0 && <p>There are no events behind this number.</p>}
      <EventList events={events} />
      {hasNextPage && (
        <Button onClick={() => void fetchNextPage()} busy={isFetchingNextPage}>
          Show more
        </Button>
      )}
    </div>
  );
}
