import { Link } from '@tanstack/react-router';
import { useMutation } from '@tanstack/react-query';
import { api, answerOf } from '../../../api/client.ts';
import { Badge } from '../../../components/Badge.tsx';
import { Button, buttonClass } from '../../../components/Button.tsx';
import { formatBytes } from '../../../format.ts';
import { DraftFields } from './DraftFields.tsx';
import styles from './UploadPage.module.css';
import { cancelUpload, changeUpload, startUpload, type UploadItem, type UploadState } from './uploads.ts';

const LABELS: Record<UploadState, readonly [label: string, tone: 'neutral' | 'good' | 'warn' | 'bad' | 'info']> = {
  draft: ['Not sent yet', 'neutral'],
  sending: ['Sending', 'info'],
  stopped: ['Stopped', 'warn'],
  refused: ['Refused', 'bad'],
  processing: ['Processing', 'info'],
  ready: ['Ready', 'good'],
  failed: ['Failed', 'bad'],
};

/** One file on its way to a video. */
export function UploadCard({ upload }: { readonly upload: UploadItem }) {
  const { state, title, file, reason } = upload;
  const [label, tone] = LABELS[state];
  return (
    <li className={styles.card}>
      <div className={styles.cardHead}>
        <h2>{title.trim() === '' ? file.name : title}</h2>
        <Badge tone={tone}>{label}</Badge>
      </div>
      <p className={styles.file}>
        {file.name}, {formatBytes(file.size)}
      </p>
      {state === 'draft' && <DraftFields upload={upload} />}
      <Progress upload={upload} />
      {reason !== undefined && (
        <p className={styles.reason} role="alert">
          {reason}
        </p>
      )}
      <Actions upload={upload} />
    </li>
  );
}

function Progress({ upload: { state, sent, progress, title } }: { readonly upload: UploadItem }) {
  if (state !== 'sending' && state !== 'stopped' && state !== 'processing') return null;
  const percent = state === 'processing' ? progress : Math.floor(sent * 100);
  return (
    <div className={styles.progress}>
      <progress
        max={100}
        value={percent}
        aria-label={`${state === 'processing' ? 'Processing' : 'Sending'} ${title}`}
      />
      <span>{percent} %</span>
    </div>
  );
}

function Actions({ upload: { id, state, videoId, title } }: { readonly upload: UploadItem }) {
  const retry = useMutation({
    mutationFn: async () =>
      answerOf(api.POST('/api/v1/video/{videoId}/retry', { params: { path: { videoId: videoId! } } })),
    onSuccess: () => changeUpload(id, { state: 'processing', progress: 0, reason: undefined }),
    onError: (error) => changeUpload(id, { reason: error.message }),
  });
  const isOpen = state === 'draft' || state === 'sending' || state === 'stopped';
  return (
    <div className={styles.actions}>
      {state === 'draft' && (
        <Button look="primary" disabled={title.trim() === ''} onClick={() => void startUpload(id)}>
          Upload
        </Button>
      )}
      {state === 'stopped' && <Button onClick={() => void startUpload(id)}>Go on</Button>}
      {state === 'failed' && (
        <Button busy={retry.isPending} onClick={() => retry.mutate()}>
          Try again
        </Button>
      )}
      {state === 'ready' && videoId !== undefined && (
        <Link to="/v/$videoId" params={{ videoId }} className={buttonClass}>
          Watch
        </Link>
      )}
      <Button look="quiet" onClick={() => void cancelUpload(id)}>
        {isOpen ? 'Cancel' : 'Hide'}
        <span className="visually-hidden"> {title}</span>
      </Button>
    </div>
  );
}
