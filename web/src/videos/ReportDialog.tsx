import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { ApiError } from '../api/apiError.ts';
import { ConfirmDialog } from '../components/ConfirmDialog.tsx';
import { TextArea } from '../components/Field.tsx';
import { Notice } from '../components/Notice.tsx';
import { showToast } from '../components/toastStore.ts';
import styles from './ReportDialog.module.css';
import { reportReasons, reportVideo, type ReportReason } from './reports.ts';

interface ReportDialogProps {
  readonly video: { readonly id: string; readonly title: string };
  readonly onClose: () => void;
}

/** Tells the moderators what is wrong with a video. It is open while it is on the page. */
export default function ReportDialog({ video: { id, title }, onClose }: ReportDialogProps) {
  const [reason, setReason] = useState<ReportReason>();
  const [text, setText] = useState('');
  const report = useMutation({
    mutationFn: (chosen: ReportReason) => reportVideo(id, { reason: chosen, text: text.trim() }),
    onSuccess: (message) => {
      showToast(`${message}. A moderator will look at it.`, { tone: 'good' });
      onClose();
    },
  });
  const { error } = report;
  return (
    <ConfirmDialog
      open
      title="Report this video"
      confirm="Report"
      busy={report.isPending}
      onConfirm={() => reason !== undefined && report.mutate(reason)}
      onClose={onClose}
    >
      <div className={styles.form}>
        <p>What is wrong with “{title}”? Only moderators read it. The author does not learn who reported the video.</p>
        <fieldset className={styles.reasons}>
          <legend className="visually-hidden">Reason</legend>
          {Object.entries(reportReasons).map(([value, label]) => (
            <label key={value}>
              <input
                type="radio"
                name="reason"
                value={value}
                required
                checked={reason === value}
                onChange={() => setReason(value as ReportReason)}
              />
              {label}
            </label>
          ))}
        </fieldset>
        <TextArea
          label="What should moderators know?"
          hint="You may leave it empty."
          error={error instanceof ApiError ? error.fields['text'] : undefined}
          value={text}
          onChange={({ target }) => setText(target.value)}
          rows={3}
          maxLength={1_000}
        />
        {error !== null && <Notice tone="bad">It was not sent. {error.message}</Notice>}
      </div>
    </ConfirmDialog>
  );
}
