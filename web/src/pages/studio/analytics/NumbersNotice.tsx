import { ApiError } from '../../../api/apiError.ts';
import { Button } from '../../../components/Button.tsx';
import { Notice } from '../../../components/Notice.tsx';
import { Failure } from '../../../components/States.tsx';

interface NumbersNoticeProps {
  readonly error: Error;
  /** An earlier answer is still shown. */
  readonly hasReport: boolean;
  readonly onRetry: () => void;
}

/** What is known about errors that pass by themselves. */
const passing: Readonly<Record<string, string>> = {
  projection_rebuilding: 'The numbers are being counted anew from the log.',
  projection_behind: 'The numbers have not caught up with the log yet.',
};

/** Why there are no new numbers. Those on the page stay. */
export function NumbersNotice({ error, hasReport, onRetry }: NumbersNoticeProps) {
  const known = error instanceof ApiError ? error : undefined;
  const passes = known === undefined ? undefined : passing[known.code];
  if (passes === undefined && !hasReport) return <Failure error={error} onRetry={onRetry} />;
  return (
    <Notice tone={passes === undefined ? 'bad' : 'warn'} actions={<Button onClick={onRetry}>Try now</Button>}>
      <strong>{passes ?? known?.message ?? 'The numbers could not be loaded.'}</strong>
      {known?.isPassing && 'This page asks again by itself. '}
      {hasReport && 'What you see is the last answer.'}
    </Notice>
  );
}
