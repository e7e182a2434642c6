import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { Button } from '../../../components/Button.tsx';
import { Empty, Failure, Skeleton } from '../../../components/States.tsx';
import { formatMoment } from '../../../format.ts';
import styles from '../Operator.module.css';
import { route } from '../route.ts';
import { Causes } from './Causes.tsx';
import { readEvent, type LogEvent } from './logEvents.ts';

interface EventPanelProps {
  /** Of the event that is open. */
  readonly position: string | undefined;
  readonly onOpen: (position: string | undefined) => void;
}

/** One event with its metadata, and all that happened because of the same request. */
export function EventPanel({ position, onOpen }: EventPanelProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (position !== undefined && dialog.current?.open === false) dialog.current.showModal();
    if (position === undefined) dialog.current?.close();
  }, [position]);
  const isPosition = position !== undefined && /^[1-9]\d{0,18}$/.test(position);
  const { data, error, isPending, refetch } = useQuery({
    queryKey: ['operator', 'event', position],
    queryFn: async ({ signal }) => (await readEvent(position!, signal)) ?? null,
    enabled: isPosition,
    staleTime: Infinity,
  });
  return (
    <dialog
      ref={dialog}
      className={styles.panel}
      aria-label="Event"
      closedby="any"
      onClose={() => position !== undefined && onOpen(undefined)}
    >
      {position !== undefined && (
        <div>
          {isPosition && isPending && <Skeleton lines={4} label="Loading the event" />}
          {error !== null && <Failure error={error} onRetry={() => void refetch()} />}
          {(data === null || !isPosition) && <Empty title="There is no event at this position" />}
          {data && <EventDetails event={data} onOpen={onOpen} />}
          <div className={styles.row}>
            <Button onClick={() => onOpen(undefined)}>Close</Button>
          </div>
        </div>
      )}
    </dialog>
  );
}

function EventDetails({ event, onOpen }: { readonly event: LogEvent; readonly onOpen: (position: string) => void }) {
  const navigate = route.useNavigate();
  const { correlationId, causationId, actor, schemaVersion } = event.metadata;
  return (
    <>
      <h2>{event.type}</h2>
      <dl className={styles.facts}>
        <Fact name="Position" value={event.position} />
        <Fact name="Recorded" value={formatMoment(event.time)} />
        <Fact name="Stream" value={`${event.stream} #${event.revision}`} />
        <Fact name="Event id" value={event.id} />
        <Fact name="Correlation id" value={correlationId} />
        <Fact name="Caused by" value={causationId ?? 'a request'} />
        <Fact name="Actor" value={actor} />
        <Fact name="Version of the type" value={schemaVersion?.toString()} />
      </dl>
      <div className={styles.row}>
        <Button onClick={() => void navigate({ search: { stream: event.stream } })}>Only this stream</Button>
        {correlationId !== undefined && (
          <Button onClick={() => void navigate({ search: { correlationId } })}>Only this request</Button>
        )}
      </div>
      <pre className={styles.data} tabIndex={0} aria-label="Data of the event">
        {JSON.stringify(event.data, null, 2)}
      </pre>
      <Causes event={event} onOpen={onOpen} />
    </>
  );
}

function Fact({ name, value = '–' }: { readonly name: string; readonly value?: string | undefined }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
