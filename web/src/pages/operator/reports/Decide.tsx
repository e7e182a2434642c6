import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Button } from '../../../components/Button.tsx';
import { ReasonDialog } from '../../../components/ReasonDialog.tsx';
import { showToast } from '../../../components/toastStore.ts';
import { useUser } from '../../../session/useSession.ts';
import operator from '../Operator.module.css';
import { decideOnUser, decideOnVideo, REPORTS, type ModeratedVideo, type UserAction, type VideoAction } from './api.ts';
import { questions } from './words.ts';

interface DecideProps {
  readonly video: ModeratedVideo;
  /** There are reports on which nobody has decided. */
  readonly isOpen: boolean;
  /** Its author is. */
  readonly isSuspended: boolean;
}

type Action = VideoAction | UserAction;

const OF_STATE: Readonly<Record<ModeratedVideo['state'], readonly VideoAction[]>> = {
  visible: ['hide', 'remove'],
  hidden: ['restore', 'remove'],
  removed: [],
  deleted: [],
};

/** What a moderator can do. Each needs a reason, and is asked once. */
export function Decide({ video: { id, state, uploadedBy }, isOpen, isSuspended }: DecideProps) {
  const client = useQueryClient();
  const isOwn = useUser()?.id === uploadedBy;
  const [asking, setAsking] = useState<Action>();
  const decide = useMutation({
    mutationFn: ({ action, reason }: { action: Action; reason: string }) =>
      action === 'suspend' || action === 'reinstate'
        ? decideOnUser(uploadedBy, action, reason)
        : decideOnVideo(id, action, reason),
    onSuccess: async (message) => {
      setAsking(undefined);
      showToast(`${message}.`, { tone: 'good' });
      await client.invalidateQueries({ queryKey: REPORTS });
    },
  });
  const actions: readonly Action[] = [
    ...(isOpen ? (['dismiss'] as const) : []),
    ...OF_STATE[state],
    ...(isOwn ? [] : [isSuspended ? ('reinstate' as const) : ('suspend' as const)]),
  ];
  const question = asking && questions[asking];
  return (
    <div className={operator.row}>
      {actions.map((action) => (
        <Button
          key={action}
          look={action === 'remove' || action === 'suspend' ? 'danger' : 'secondary'}
          onClick={() => setAsking(action)}
        >
          {questions[action].button}
        </Button>
      ))}
      {question !== undefined && (
        <ReasonDialog
          title={question.title}
          confirm={question.button}
          hint={question.hint}
          error={decide.error?.message}
          busy={decide.isPending}
          onConfirm={(reason) => decide.mutate({ action: asking!, reason })}
          onClose={() => {
            setAsking(undefined);
            decide.reset();
          }}
        >
          {question.what}
        </ReasonDialog>
      )}
    </div>
  );
}
