import { Notice } from '../../../components/Notice.tsx';
import { formatCount, formatMoment } from '../../../format.ts';
import styles from '../Operator.module.css';
import { isOpen, type Operation } from './api.ts';

interface ProgressProps {
  readonly label: string;
  readonly operation: Pick<Operation, 'state' | 'progress' | 'error' | 'endedAt'> | null;
}

/** How far an operation is, or how the last one ended. */
export function Progress({ label, operation }: ProgressProps) {
  if (operation === null) return null;
  const { state, progress, error, endedAt } = operation;
  if (state === 'failed') return <Notice tone="bad">{`${label} failed: ${error ?? 'no reason is known'}`}</Notice>;
  if (!isOpen(operation))
    return (
      <p className={styles.soft}>
        {label}: {state}
        {endedAt !== null && `, ${formatMoment(endedAt)}`}
      </p>
    );
  const share =
    progress === null || Number(progress.head) === 0 ? undefined : Number(progress.position) / Number(progress.head);
  return (
    <div>
      <p className={styles.soft} role="status">
        {label}: {state === 'waiting' ? 'waits for a process with the role projector' : 'under way'}
        {progress !== null && ` · ${formatCount(progress.events)} events`}
        {progress?.rate !== undefined && ` · ${formatCount(Math.round(progress.rate))} a second`}
        {progress?.secondsLeft !== undefined && ` · ${Math.ceil(progress.secondsLeft)} s left`}
      </p>
      <progress aria-label={`${label}, progress`} max={1} value={share} />
      {error !== null && <p className={styles.soft}>The last try failed: {error}</p>}
    </div>
  );
}
