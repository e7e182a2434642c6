import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Button } from '../../../components/Button.tsx';
import { ConfirmDialog } from '../../../components/ConfirmDialog.tsx';
import { TextArea } from '../../../components/Field.tsx';
import { Failure, Skeleton } from '../../../components/States.tsx';
import { formatCounted } from '../../../videos/format.ts';
import styles from '../Operator.module.css';
import { useAction } from '../useAction.ts';
import { discardParked, parkedQuery, retryParked, type ParkedEvent } from './api.ts';

/** Events that the projection could not apply, and the later ones of their streams. */
export function ParkedEvents({ name, count }: { readonly name: string; readonly count: number }) {
  const { data, error, isPending, refetch } = useQuery(parkedQuery(name));
  const [discarding, setDiscarding] = useState<ParkedEvent>();
  const [reason, setReason] = useState('');
  const reads = ['operator', 'projections'];
  const retry = useAction((id: string) => retryParked(name, id), reads);
  const discard = useAction((id: string) => discardParked(name, id, reason.trim()), reads);
  const close = (): void => {
    setDiscarding(undefined);
    setReason('');
  };
  return (
    <details open>
      <summary>{formatCounted(count, 'parked event')}</summary>
      {isPending && <Skeleton lines={2} label="Loading the parked events" />}
      {error !== null && <Failure error={error} onRetry={() => void refetch()} />}
      {data !== undefined && (
        <div className={styles.scroll} tabIndex={0} role="region" aria-label={`Parked events of ${name}`}>
          <table className={styles.table}>
            <thead>
              <tr>
                <th scope="col">Event</th>
                <th scope="col">Stream</th>
                <th scope="col">Error</th>
                <th scope="col">Actions</th>
              </tr>
            </thead>
            <tbody>
              {data.data.map((event) => (
                <tr key={event.id}>
                  <th scope="row">
                    {event.type} <span className={styles.soft}>#{event.position}</span>
                  </th>
                  <td>
                    <code>{event.stream}</code>
                  </td>
                  <td>
                    {event.waitsFor === null ? `${event.error} (${event.attempts} tries)` : 'Waits for an earlier one'}
                  </td>
                  <td>
                    {event.waitsFor === null && (
                      <div className={styles.row}>
                        <Button
                          onClick={() => retry.mutate(event.id)}
                          busy={retry.isPending && retry.variables === event.id}
                        >
                          Retry
                        </Button>
                        <Button look="danger" onClick={() => setDiscarding(event)}>
                          Discard
                        </Button>
                      </div>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <ConfirmDialog
        open={discarding !== undefined}
        title="Discard this event?"
        confirm="Discard"
        onClose={close}
        onConfirm={() => {
          discard.mutate(discarding!.id);
          close();
        }}
      >
        <p>
          {name} never applies {discarding?.type} #{discarding?.position}, also not when it is rebuilt. This cannot be
          undone.
        </p>
        <TextArea
          label="Reason"
          hint="It is recorded in the log. Write no personal data."
          value={reason}
          onChange={(event) => setReason(event.target.value)}
          required
          maxLength={500}
        />
      </ConfirmDialog>
    </details>
  );
}
