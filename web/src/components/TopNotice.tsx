import type { ReactNode } from 'react';
import styles from './TopNotice.module.css';

interface TopNoticeProps {
  /** An alert interrupts screen readers. */
  readonly role: 'status' | 'alert';
  /** Nothing while there is nothing to say. */
  readonly children?: ReactNode;
}

/** A message at the top of the window that stays as long as it is true. Screen readers read it when it appears. */
export function TopNotice({ role, children }: TopNoticeProps) {
  return <div role={role}>{children !== undefined && <div className={styles.notice}>{children}</div>}</div>;
}
