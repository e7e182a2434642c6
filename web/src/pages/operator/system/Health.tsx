import { useQuery } from '@tanstack/react-query';
import { api } from '../../../api/client.ts';
import { ApiError } from '../../../api/apiError.ts';
import type { components } from '../../../api/schema.d.ts';
import { Badge } from '../../../components/Badge.tsx';
import { Failure, Skeleton } from '../../../components/States.tsx';
import styles from '../Operator.module.css';
import { formatMs } from '../../../format.ts';

/** The parts of the process that answers. A status of 503 is an answer too: it says which part is down. */
async function readHealth(signal: AbortSignal): Promise<components['schemas']['Health']> {
  const { data, error } = await api.GET('/health', { signal }).catch((cause: unknown) => {
    throw ApiError.unreachable(cause);
  });
  return (data ?? error) as components['schemas']['Health'];
}

export function Health() {
  const { data, error, isPending, refetch } = useQuery({
    queryKey: ['operator', 'health'],
    queryFn: ({ signal }) => readHealth(signal),
    refetchInterval: 5_000,
  });
  return (
    <section className={styles.cards} aria-labelledby="health">
      <h2 id="health">Health</h2>
      {isPending && <Skeleton lines={3} label="Loading the health" />}
      {data === undefined && error !== null && <Failure error={error} onRetry={() => void refetch()} />}
      {data !== undefined && data.components === undefined && (
        <p>{data.message} In production, the parts are only shown to the machine itself.</p>
      )}
      {data?.components !== undefined && (
        <div className={styles.scroll} tabIndex={0} role="region" aria-labelledby="health">
          <table className={styles.table}>
            <thead>
              <tr>
                <th scope="col">Part</th>
                <th scope="col">Status</th>
                <th scope="col" className={styles.number}>
                  Answered in
                </th>
              </tr>
            </thead>
            <tbody>
              {Object.entries(data.components).map(([name, { status, required, latencyMs }]) => (
                <tr key={name}>
                  <th scope="row">
                    {name} {required && <span className={styles.soft}>required</span>}
                  </th>
                  <td>
                    <Badge tone={status === 'up' ? 'good' : 'bad'}>{status}</Badge>
                  </td>
                  <td className={styles.number}>{formatMs(latencyMs)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
