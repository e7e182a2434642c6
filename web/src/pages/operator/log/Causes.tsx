import { useQuery } from '@tanstack/react-query';
import { Failure, Skeleton } from '../../../components/States.tsx';
import styles from '../Operator.module.css';
import { causesOf, type Cause } from './causes.ts';
import { readCorrelated, type LogEvent } from './logEvents.ts';

interface CausesProps {
  readonly event: LogEvent;
  readonly onOpen: (position: string) => void;
}

/** What the request has caused that the event belongs to, as a tree. */
export function Causes({ event, onOpen }: CausesProps) {
  const { correlationId } = event.metadata;
  const { data, error, isPending, refetch } = useQuery({
    queryKey: ['operator', 'causes', correlationId ?? event.id],
    queryFn: ({ signal }) => readCorrelated(event, signal),
    enabled: correlationId !== undefined,
  });
  if (correlationId === undefined) return null;
  return (
    <section className={styles.tree} aria-label="What the same request caused">
      <h3>The same request</h3>
      {isPending && <Skeleton lines={2} label="Loading what the request caused" />}
      {error !== null && <Failure error={error} onRetry={() => void refetch()} />}
      {data !== undefined && (
        <ul>
          <Node cause={causesOf(data)} current={event.id} onOpen={onOpen} />
        </ul>
      )}
    </section>
  );
}

interface NodeProps {
  readonly cause: Cause;
  /** The id of the event that is open. */
  readonly current: string;
  readonly onOpen: (position: string) => void;
}

function Node({ cause, current, onOpen }: NodeProps) {
  const { kind, actor, event, effects } = cause;
  return (
    <li>
      {event === undefined ? (
        <span className={styles.soft}>
          {kind === 'command' ? 'Command' : 'Job'}
          {actor !== undefined && ` by ${actor}`}
        </span>
      ) : (
        <button
          type="button"
          aria-current={event.id === current ? 'true' : undefined}
          onClick={() => onOpen(event.position)}
        >
          <strong>{event.type}</strong> <span className={styles.soft}>#{event.position}</span>
        </button>
      )}
      {effects.length > 0 && (
        <ul>
          {effects.map((effect, index) => (
            <Node key={effect.event?.id ?? index} cause={effect} current={current} onOpen={onOpen} />
          ))}
        </ul>
      )}
    </li>
  );
}
