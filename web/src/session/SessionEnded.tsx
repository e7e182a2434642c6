import { Link, useLocation } from '@tanstack/react-router';
import { Clock, X } from 'lucide-react';
import { TopNotice } from '../components/TopNotice.tsx';
import { acceptEnd } from './session.ts';
import styles from './SessionEnded.module.css';
import { useSession } from './useSession.ts';

/** Says that the session ended, and leads back to this page after signing in again. What is on the page stays. */
export function SessionEnded() {
  const { status } = useSession();
  const { href, pathname } = useLocation();
  const shown = status === 'ended' && pathname !== '/sign-in' && pathname !== '/sign-up';
  return (
    <TopNotice role="alert">
      {shown ? (
        <>
          <Clock aria-hidden size={20} />
          <p>Your session has ended.</p>
          <Link to="/sign-in" search={{ next: href }} className={styles.link}>
            Sign in again
          </Link>
          <button type="button" className={styles.close} aria-label="Go on without an account" onClick={acceptEnd}>
            <X aria-hidden size={18} />
          </button>
        </>
      ) : undefined}
    </TopNotice>
  );
}
