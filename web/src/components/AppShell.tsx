import { Outlet } from '@tanstack/react-router';
import { SessionEnded } from '../session/SessionEnded.tsx';
import styles from './AppShell.module.css';
import { Navigation } from './Navigation.tsx';
import { OfflineNotice } from './OfflineNotice.tsx';
import { Toasts } from './Toasts.tsx';

/** What every page has around it: the way to the other pages, and messages. */
export function AppShell() {
  return (
    <div className={styles.shell}>
      <a className={styles.skip} href="#main">
        Skip to the content
      </a>
      <Navigation />
      <main id="main" className={styles.main} tabIndex={-1}>
        <Outlet />
      </main>
      <div className={styles.notices}>
        <OfflineNotice />
        <SessionEnded />
      </div>
      <Toasts />
    </div>
  );
}
