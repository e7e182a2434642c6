import { useState } from 'react';
import { ConfirmDialog } from './ConfirmDialog.tsx';
import { TextArea } from './Field.tsx';

interface ReasonDialogProps {
  readonly title: string;
  /** What will happen. */
  readonly children: string;
  /** The verb on the button. */
  readonly confirm: string;
  /** Who reads the reason. */
  readonly hint: string;
  /** What was wrong with the reason. */
  readonly error?: string | undefined;
  readonly busy: boolean;
  readonly onConfirm: (reason: string) => void;
  readonly onClose: () => void;
}

/** Asks once, and why. It is open while it is on the page. */
export function ReasonDialog({ children, hint, error, onConfirm, ...dialog }: ReasonDialogProps) {
  const [reason, setReason] = useState('');
  return (
    <ConfirmDialog open onConfirm={() => onConfirm(reason.trim())} {...dialog}>
      <p>{children}</p>
      <TextArea
        label="Reason"
        hint={hint}
        error={error}
        value={reason}
        onChange={({ target }) => setReason(target.value)}
        required
        maxLength={500}
      />
    </ConfirmDialog>
  );
}
