import type { ReactNode } from 'react';
import styles from './Page.module.css';

interface PageProps {
  /** The heading, and the title of the tab. */
  readonly title: string;
  /** A sentence below the heading. */
  readonly lead?: ReactNode;
  /** Buttons beside the heading. */
  readonly actions?: ReactNode;
  /** How wide it may become. */
  readonly width?: 'narrow' | 'wide';
  readonly children: ReactNode;
}

/** A page with a heading. */
export function Page({ title, lead, actions, width = 'wide', children }: PageProps) {
  return (
    <div className={styles.page} data-width={width}>
      <title>{`${title} · ReelStream`}</title>
      <header className={styles.header}>
        <div>
          <h1>{title}</h1>
          {lead !== undefined && <p className={styles.lead}>{lead}</p>}
        </div>
        {actions !== undefined && <div className={styles.actions}>{actions}</div>}
      </header>
      {children}
    </div>
  );
}
