import { formatCounted } from '../../../videos/format.ts';
import { reportReasons, type ReportReason } from '../../../videos/reports.ts';
import type { Decision, ReportedVideo, UserAction, VideoAction } from './api.ts';

export { reportReasons };

/** Such as “3 reports: Spam or deception 2, Violence 1”. */
export function countsInWords({ total, ...counts }: ReportedVideo['counts']): string {
  const given = (Object.entries(counts) as [ReportReason, number][]).filter(([, count]) => count > 0);
  const reasons = given.map(([reason, count]) =>
    total === 1 ? reportReasons[reason] : `${reportReasons[reason]} ${count}`,
  );
  return `${formatCounted(total, 'report')}: ${reasons.join(', ')}`;
}

const DECISIONS: Readonly<Record<Decision['decision'], string>> = {
  dismissed: 'Reports dismissed',
  hidden: 'Hidden',
  restored: 'Shown again',
  removed: 'Removed',
  deleted: 'Deleted by its owner',
  suspended: 'Author suspended',
  reinstated: 'Suspension ended',
};

export function decisionInWords(decision: Decision['decision']): string {
  return DECISIONS[decision];
}

interface Question {
  readonly button: string;
  readonly title: string;
  readonly what: string;
  readonly hint: string;
}

const RECORDED = 'It is recorded in the log';

/** What is asked before each decision. */
export const questions: Readonly<Record<VideoAction | UserAction, Question>> = {
  dismiss: {
    button: 'Dismiss the reports',
    title: 'Dismiss these reports?',
    what: 'The video stays as it is. A new report opens the case again.',
    hint: `${RECORDED}. The author does not hear of it.`,
  },
  hide: {
    button: 'Hide',
    title: 'Hide this video?',
    what: 'It is at once gone for everybody but its author. You can show it again.',
    hint: `${RECORDED}, and the author reads it.`,
  },
  restore: {
    button: 'Show again',
    title: 'Show this video again?',
    what: 'Everybody whom its visibility allows sees it again.',
    hint: `${RECORDED}, and the author reads it.`,
  },
  remove: {
    button: 'Remove',
    title: 'Remove this video?',
    what: 'The video and its files are deleted for good. This cannot be undone.',
    hint: `${RECORDED}, and the author reads it.`,
  },
  suspend: {
    button: 'Suspend the author',
    title: 'Suspend the author?',
    what: 'All sessions of the author end at once, and signing in is refused. The videos stay as they are.',
    hint: `${RECORDED}, and the author reads it at the next sign-in.`,
  },
  reinstate: {
    button: 'End the suspension',
    title: 'End the suspension?',
    what: 'The author can sign in again.',
    hint: `${RECORDED}.`,
  },
};
