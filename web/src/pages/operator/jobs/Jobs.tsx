import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { answerOf, api } from '../../../api/client.ts';
import type { components } from '../../../api/schema.d.ts';
import { Ago } from '../../../components/Ago.tsx';
import { Badge } from '../../../components/Badge.tsx';
import { Button } from '../../../components/Button.tsx';
import { Empty, Failure, Skeleton } from '../../../components/States.tsx';
import { formatCount, formatMs } from '../../../format.ts';
import styles from '../Operator.module.css';
import { route } from '../route.ts';
import { useAction } from '../useAction.ts';

type Job = components['schemas']['Job'];
const STATES = ['waiting', 'running', 'failed', 'done', 'cancelled'] as const;
const LABELS = {
  waiting: 'Waiting',
  running: 'Running',
  failed: 'Failed',
  done: 'Done',
  cancelled: 'Cancelled',
} as const;
const TONES = { waiting: 'neutral', running: 'info', failed: 'bad', done: 'good', cancelled: 'warn' } as const;

export default function Jobs() {
  const { state: asked, queue } = route.useSearch();
  const state = STATES.find((each) => each === asked);
  const jobs = useInfiniteQuery({
    queryKey: ['operator', 'jobs', state, queue],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam: cursor, signal }) => {
      const query = { ...(state && { state }), ...(queue && { queue }), ...(cursor && { cursor }) };
      return answerOf(api.GET('/api/v1/admin/jobs', { params: { query }, signal }));
    },
    getNextPageParam: ({ meta }) => meta!.nextCursor ?? undefined,
    refetchInterval: 3_000,
  });
  const retry = useAction(
    async (id: string) =>
      (await answerOf(api.POST('/api/v1/admin/jobs/{id}/retry', { params: { path: { id } } }))).message,
    ['operator', 'jobs'],
  );
  const counts = jobs.data?.pages[0]!.meta!.counts;
  const found = jobs.data?.pages.flatMap(({ data }) => data) ?? [];
  return (
    <>
      <nav className={styles.tabs} aria-label="Filter by state">
        {[undefined, ...STATES].map((each) => (
          <Link
            key={each ?? 'all'}
            to="/operator/$page"
            params={{ page: 'jobs' }}
            search={{ state: each, queue }}
            activeOptions={{ exact: true, includeSearch: true }}
          >
            {each === undefined ? 'All' : LABELS[each]}
            {each !== undefined && counts !== undefined && (
              <span className={styles.soft}>{formatCount(counts[each])}</span>
            )}
          </Link>
        ))}
      </nav>
      {queue !== undefined && (
        <p className={styles.row}>
          Queue <code>{queue}</code>
          <Link to="/operator/$page" params={{ page: 'jobs' }} search={{ state }}>
            Show all queues
          </Link>
        </p>
      )}
      {jobs.isPending && <Skeleton lines={6} label="Loading the jobs" />}
      {jobs.data === undefined && jobs.isError && <Failure error={jobs.error} onRetry={() => void jobs.refetch()} />}
      {jobs.data !== undefined && found.length === 0 && (
        <Empty title={state === undefined ? 'No jobs' : `No ${state} jobs`}>
          A job is made for each upload. Finished jobs are kept for a day, failed ones for a week.
        </Empty>
      )}
      {found.length > 0 && (
        <JobTable
          jobs={found}
          onRetry={(id) => retry.mutate(id)}
          retrying={retry.isPending ? retry.variables : undefined}
        />
      )}
      {jobs.hasNextPage && (
        <div className={styles.more}>
          <Button onClick={() => void jobs.fetchNextPage()} busy={jobs.isFetchingNextPage}>
            Show more
          </Button>
        </div>
      )}
    </>
  );
}

interface JobTableProps {
  readonly jobs: readonly Job[];
  readonly onRetry: (id: string) => void;
  readonly retrying: string | undefined;
}

function JobTable({ jobs, onRetry, retrying }: JobTableProps) {
  return (
    <div className={styles.scroll} tabIndex={0} role="region" aria-label="Jobs">
      <table className={styles.table}>
        <thead>
          <tr>
            <th scope="col">Job</th>
            <th scope="col">State</th>
            <th scope="col">Video</th>
            <th scope="col" className={styles.number}>
              Waited
            </th>
            <th scope="col" className={styles.number}>
              Took
            </th>
            <th scope="col">Error</th>
            <th scope="col">Actions</th>
          </tr>
        </thead>
        <tbody>
          {jobs.map((job) => (
            <tr key={job.id}>
              <th scope="row">
                <Link to="/operator/$page" params={{ page: 'jobs' }} search={{ queue: job.queue }}>
                  {job.queue}
                </Link>
                <div className={styles.soft}>
                  <Ago time={job.createdAt} />
                </div>
              </th>
              <td>
                <Badge tone={TONES[job.state]}>{job.state}</Badge>
                {job.attempts > 1 && <div className={styles.soft}>{job.attempts} tries</div>}
              </td>
              <td>
                {job.videoId !== null && (
                  <Link
                    to="/operator/$page"
                    params={{ page: 'log' }}
                    search={{ stream: `video-${job.videoId}` }}
                    aria-label={`Events of the video ${job.videoId}`}
                  >
                    <code>{job.videoId.slice(-12)}</code>
                  </Link>
                )}
              </td>
              <td className={styles.number}>{job.waitedMs === null ? '–' : formatMs(job.waitedMs)}</td>
              <td className={styles.number}>{job.tookMs === null ? '–' : formatMs(job.tookMs)}</td>
              <td className={job.error === null ? undefined : styles.text}>{job.error}</td>
              <td>
                {job.state === 'failed' && (
                  <Button onClick={() => onRetry(job.id)} busy={retrying === job.id}>
                    Retry
                  </Button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
