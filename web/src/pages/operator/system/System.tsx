import { useQuery } from '@tanstack/react-query';
import { answerOf, api } from '../../../api/client.ts';
import type { components } from '../../../api/schema.d.ts';
import { Ago } from '../../../components/Ago.tsx';
import { Badge } from '../../../components/Badge.tsx';
import { Failure, Skeleton } from '../../../components/States.tsx';
import { formatBytes, formatCount } from '../../../format.ts';
import styles from '../Operator.module.css';
import { Health } from './Health.tsx';

type Report = components['schemas']['System'];

const ENGINES = {
  eventStore: 'Event store',
  database: 'Read models',
  delivery: 'Delivery of events',
  cache: 'Shared cache',
  objectStore: 'Object store',
  ffmpeg: 'Media',
  runtime: 'Runtime',
} as const satisfies Record<keyof Report['engines'], string>;

export default function System() {
  const { data, error, isPending, refetch } = useQuery({
    queryKey: ['operator', 'system'],
    queryFn: async ({ signal }) => (await answerOf(api.GET('/api/v1/admin/system', { signal }))).data,
    refetchInterval: 5_000,
  });
  if (isPending) return <Skeleton lines={6} label="Loading the system" />;
  if (data === undefined) return <Failure error={error} onRetry={() => void refetch()} />;
  const { log } = data;
  return (
    <>
      <dl className={`${styles.facts} ${styles.card}`}>
        <Fact name="Events" value={log.events === null ? 'not counted' : formatCount(log.events)} />
        <Fact name="Appended per second" value={log.appendsPerSecond.toFixed(1)} />
        <Fact name="Size of the log" value={log.bytes === null ? 'not known' : formatBytes(log.bytes)} />
        <Fact name="Size of the database" value={formatBytes(data.databaseBytes)} />
        <Fact name="Head" value={log.head} />
      </dl>
      <Processes processes={data.processes} />
      <section className={styles.cards} aria-labelledby="engines">
        <h2 id="engines">Engines</h2>
        <div className={styles.scroll} tabIndex={0} role="region" aria-labelledby="engines">
          <table className={styles.table}>
            <thead>
              <tr>
                <th scope="col">Part</th>
                <th scope="col">Engine</th>
                <th scope="col">Version</th>
                <th scope="col">Place</th>
              </tr>
            </thead>
            <tbody>
              {(Object.keys(ENGINES) as (keyof typeof ENGINES)[]).map((part) => (
                <tr key={part}>
                  <th scope="row">{ENGINES[part]}</th>
                  <td>{data.engines[part].engine}</td>
                  <td>{data.engines[part].version ?? '–'}</td>
                  <td className={styles.text}>
                    <code>{data.engines[part].place}</code>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </section>
      <Health />
    </>
  );
}

function Processes({ processes }: Pick<Report, 'processes'>) {
  return (
    <section className={styles.cards} aria-labelledby="processes">
      <h2 id="processes">Processes</h2>
      <div className={styles.scroll} tabIndex={0} role="region" aria-labelledby="processes">
        <table className={styles.table}>
          <thead>
            <tr>
              <th scope="col">Role</th>
              <th scope="col">State</th>
              <th scope="col">Host</th>
              <th scope="col">Version</th>
              <th scope="col">Started</th>
              <th scope="col">Last seen</th>
              <th scope="col" className={styles.number}>
                Appends/s
              </th>
            </tr>
          </thead>
          <tbody>
            {processes.map(({ id, role, pid, host, version, startedAt, lastSeenAt, state, appendsPerSecond }) => (
              <tr key={id}>
                <th scope="row">{role}</th>
                <td>
                  <Badge tone={state === 'alive' ? 'good' : 'bad'}>{state}</Badge>
                </td>
                <td>
                  {host} <span className={styles.soft}>pid {pid}</span>
                </td>
                <td>{version}</td>
                <td>
                  <Ago time={startedAt} />
                </td>
                <td>
                  <Ago time={lastSeenAt} />
                </td>
                <td className={styles.number}>{appendsPerSecond.toFixed(1)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Fact({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
