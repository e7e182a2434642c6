import type { ReactNode } from 'react';
import styles from './Notice.module.css';

interface NoticeProps {
  readonly tone: 'info' | 'warn' | 'bad';
  readonly children: ReactNode;
  /** Buttons. */
  readonly actions?: ReactNode;
}

/** Something that the reader should know about what is on the page. Screen readers read it when it appears. */
export function Notice({ tone, children, actions }: NoticeProps) {
  return (
    <div className={styles.notice} data-tone={tone} role={tone === 'info' ? 'status' : 'alert'}>
      <div className={styles.text}>{children}</div>
      {actions !== undefined && <div className={styles.actions}>{actions}</div>}
    </div>
  );
}
