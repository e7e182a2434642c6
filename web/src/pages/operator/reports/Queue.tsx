import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { ShieldCheck } from 'lucide-react';
import { Ago } from '../../../components/Ago.tsx';
import { Button, buttonClass } from '../../../components/Button.tsx';
import { Empty, Failure, Skeleton } from '../../../components/States.tsx';
import { formatCount } from '../../../format.ts';
import operator from '../Operator.module.css';
import { queueQuery, type ReportedVideo } from './api.ts';
import { Picture } from './Picture.tsx';
import styles from './Reports.module.css';
import { VideoState } from './VideoState.tsx';
import { countsInWords, decisionInWords, reportReasons } from './words.ts';

const LABELS = { open: 'Open', decided: 'Decided' } as const;

export function Queue({ state }: { readonly state: keyof typeof LABELS }) {
  const { data, error, isPending, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery(
    queueQuery(state),
  );
  const counts = data?.pages.at(-1)?.meta?.counts;
  const found = data?.pages.flatMap((page) => page.data) ?? [];
  return (
    <>
      <nav className={operator.tabs} aria-label="Filter by state">
        {(['open', 'decided'] as const).map((each) => (
          <Link
            key={each}
            to="/operator/$page"
            params={{ page: 'reports' }}
            search={each === 'open' ? {} : { state: each }}
            activeOptions={{ exact: true, includeSearch: true }}
          >
            {LABELS[each]}
            {counts !== undefined && <span className={operator.soft}>{formatCount(counts[each])}</span>}
          </Link>
        ))}
      </nav>
      {isPending && <Skeleton lines={6} label="Loading the reports" />}
      {data === undefined && error !== null && <Failure error={error} onRetry={() => void refetch()} />}
      {data !== undefined && found.length === 0 && (
        <Empty title={state === 'open' ? 'No report waits for you' : 'Nothing was decided yet'} icon={ShieldCheck}>
          {state === 'open'
            ? 'Videos appear here when somebody reports them.'
            : 'Reported videos stay here once a moderator has decided.'}
        </Empty>
      )}
      {found.length > 0 && (
        <ul className={operator.cards} aria-label="Reported videos">
          {found.map((each) => (
            <Reported key={each.video.id} {...each} />
          ))}
        </ul>
      )}
      {hasNextPage && (
        <div className={operator.more}>
          <Button onClick={() => void fetchNextPage()} busy={isFetchingNextPage}>
            Show more
          </Button>
        </div>
      )}
    </>
  );
}

function Reported({ video, counts, newest, lastDecision }: ReportedVideo) {
  return (
    <li className={`${operator.card} ${styles.reported}`}>
      <Picture video={video} />
      <div className={styles.text}>
        <h2>{video.title}</h2>
        <p className={operator.row}>
          <VideoState video={video} />
          <span className={operator.soft}>
            by {video.user.name} · {countsInWords(counts)}
          </span>
        </p>
        <p className={styles.quote}>{newest.text ?? reportReasons[newest.reason]}</p>
        <p className={operator.soft}>
          Reported last <Ago time={newest.at} />
          {lastDecision !== null && (
            <>
              {' '}
              · {decisionInWords(lastDecision.decision)} <Ago time={lastDecision.at} />
            </>
          )}
        </p>
      </div>
      <Link
        to="/operator/$page"
        params={{ page: 'reports' }}
        search={{ video: video.id }}
        className={buttonClass}
        aria-label={`Look at it: ${video.title}`}
      >
        Look at it
      </Link>
    </li>
  );
}
