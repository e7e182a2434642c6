import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { ApiError } from '../../../api/apiError.ts';
import { Ago } from '../../../components/Ago.tsx';
import { Badge } from '../../../components/Badge.tsx';
import { Button } from '../../../components/Button.tsx';
import { NotFound } from '../../../components/NotFound.tsx';
import { Failure, Skeleton } from '../../../components/States.tsx';
import { mediaUrl } from '../../../player/mediaUrl.ts';
import operator from '../Operator.module.css';
import { caseQuery, type Decision, type ModeratedVideo, type Report } from './api.ts';
import { Decide } from './Decide.tsx';
import styles from './Reports.module.css';
import { VideoState } from './VideoState.tsx';
import { countsInWords, decisionInWords, reportReasons } from './words.ts';

/** A reported video, why it was reported, and everything that was decided about it. */
export function Case({ videoId }: { readonly videoId: string }) {
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery(caseQuery(videoId));
  if (error instanceof ApiError && [400, 404].includes(error.status)) return <NotFound />;
  if (data === undefined)
    return error === null ? (
      <Skeleton lines={6} label="Loading the reports" />
    ) : (
      <Failure error={error} onRetry={() => void refetch()} />
    );
  const { video, counts, isOpen, owner, decisions } = data.pages.at(-1)!.data;
  const reports = data.pages.flatMap((page) => page.data.reports);
  return (
    <>
      <p>
        <Link to="/operator/$page" params={{ page: 'reports' }} search={isOpen ? {} : { state: 'decided' }}>
          ← All reports
        </Link>
      </p>
      <div className={styles.case}>
        <section className={operator.card} aria-labelledby="video">
          <Movie video={video} />
          <div>
            <h2 id="video">{video.title}</h2>
            <p className={operator.row}>
              <VideoState video={video} />
              {owner.suspended !== null && <Badge tone="bad">author suspended</Badge>}
            </p>
          </div>
          {video.description !== '' && <p className={styles.description}>{video.description}</p>}
          <p className={operator.soft}>
            by {video.user.name} (@{video.user.username}), uploaded <Ago time={video.createdAt} />
          </p>
          <Decide video={video} isOpen={isOpen} isSuspended={owner.suspended !== null} />
        </section>
        <div className={operator.cards}>
          <section className={operator.card} aria-labelledby="reports">
            <div>
              <h2 id="reports">Reports</h2>
              <p className={operator.soft}>{counts.total === 0 ? 'Nobody has reported it.' : countsInWords(counts)}</p>
            </div>
            <ul className={styles.list}>
              {reports.map((report) => (
                <ReportRow key={report.reporterId} {...report} />
              ))}
            </ul>
            {hasNextPage && (
              <Button onClick={() => void fetchNextPage()} busy={isFetchingNextPage}>
                Show more
              </Button>
            )}
          </section>
          <section className={operator.card} aria-labelledby="decisions">
            <h2 id="decisions">Decisions</h2>
            {decisions.length === 0 && <p className={operator.soft}>Nobody has decided about it yet.</p>}
            <ol className={styles.list}>
              {decisions.map((decision) => (
                <DecisionRow key={decision.position} {...decision} />
              ))}
            </ol>
          </section>
        </div>
      </div>
    </>
  );
}

function Movie({ video: { title, url, thumbnailUrl } }: { readonly video: ModeratedVideo }) {
  if (url === null) return <p className={operator.soft}>There are no files of it.</p>;
  return (
    <video
      className={styles.movie}
      controls
      playsInline
      preload="none"
      src={mediaUrl(url)}
      poster={thumbnailUrl === null ? undefined : mediaUrl(thumbnailUrl)}
      aria-label={title}
    />
  );
}

function ReportRow({ reporterId, reason, text, at }: Report) {
  return (
    <li>
      <p className={operator.row}>
        <Badge>{reportReasons[reason]}</Badge>
        <span className={operator.soft}>
          <Ago time={at} /> by <code>{reporterId.slice(-12)}</code>
        </span>
      </p>
      {text !== null && <p className={styles.quote}>{text}</p>}
    </li>
  );
}

function DecisionRow({ decision, by, reason, at, position }: Decision) {
  return (
    <li>
      <p className={operator.row}>
        <strong>{decisionInWords(decision)}</strong>
        <span className={operator.soft}>
          <Ago time={at} /> by <code>{by.includes('-') ? by.slice(-12) : by}</code>
        </span>
        <Link
          to="/operator/$page"
          params={{ page: 'log' }}
          search={{ event: position }}
          className={operator.soft}
          aria-label={`The event ${position} in the log`}
        >
          #{position}
        </Link>
      </p>
      {reason !== null && <p className={styles.quote}>{reason}</p>}
    </li>
  );
}
