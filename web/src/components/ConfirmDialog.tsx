import { useLayoutEffect, useRef, type ReactNode } from 'react';
import { Button } from './Button.tsx';
import styles from './ConfirmDialog.module.css';

interface ConfirmDialogProps {
  readonly open: boolean;
  readonly title: string;
  /** What will happen. */
  readonly children: ReactNode;
  /** The verb on the button. */
  readonly confirm: string;
  readonly busy?: boolean;
  readonly onConfirm: () => void;
  readonly onClose: () => void;
}

/** Asks once before something that cannot be undone. Escape and a click outside close it. */
export function ConfirmDialog({
  open,
  title,
  children,
  confirm,
  busy = false,
  onConfirm,
  onClose,
}: ConfirmDialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  // Closed before it leaves the page, so that what had the focus gets it back.
  useLayoutEffect(() => {
    const element = dialog.current;
    if (!open) return;
    element?.showModal();
    return () => element?.close();
  }, [open]);
  return (
    <dialog ref={dialog} aria-label={title} onClose={onClose} closedby="any">
      <form
        method="dialog"
        className={styles.content}
        onSubmit={(event) => {
          event.preventDefault();
          onConfirm();
        }}
      >
        <h2>{title}</h2>
        <div className={styles.text}>{children}</div>
        <div className={styles.actions}>
          <Button onClick={() => dialog.current?.close()}>Cancel</Button>
          <Button type="submit" look="danger" busy={busy}>
            {confirm}
          </Button>
        </div>
      </form>
    </dialog>
  );
}
