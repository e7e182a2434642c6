import { Link } from '@tanstack/react-router';
import { Activity, ChartColumn, Clapperboard, LogIn, Play, Plus, UserRound, type LucideIcon } from 'lucide-react';
import { useSession } from '../session/useSession.ts';
import styles from './Navigation.module.css';

/** The main pages: on the left on wide screens, at the bottom on narrow ones. */
export function Navigation() {
  const session = useSession();
  const isAdmin = session.status === 'signedIn' && session.user.role === 'admin';
  return (
    <nav className={styles.navigation} aria-label="Main">
      <Link to="/" className={styles.brand} aria-label="ReelStream, start page">
        <img src="/favicon.svg" alt="" width={32} height={32} />
        <span>ReelStream</span>
      </Link>
      <ul className={styles.links}>
        <Item to="/" label="Watch" icon={Play} exact />
        <Item to="/studio" label="Studio" icon={Clapperboard} exact />
        <Item to="/studio/upload" label="Upload" icon={Plus} primary />
        <Item to="/studio/analytics" label="Analytics" icon={ChartColumn} />
        {isAdmin && <Item to="/operator" label="Operator" icon={Activity} />}
        {session.status === 'signedIn' || session.status === 'restoring' ? (
          <Item to="/account" label="Account" icon={UserRound} />
        ) : (
          <Item to="/sign-in" label="Sign in" icon={LogIn} />
        )}
      </ul>
      <a className={styles.docs} href="/docs">
        API documentation
      </a>
    </nav>
  );
}

interface ItemProps {
  readonly to: '/' | '/studio' | '/studio/upload' | '/studio/analytics' | '/operator' | '/account' | '/sign-in';
  readonly label: string;
  readonly icon: LucideIcon;
  readonly primary?: boolean;
  /** The pages below this one are not part of it. */
  readonly exact?: boolean;
}

function Item({ to, label, icon: Icon, primary = false, exact = false }: ItemProps) {
  return (
    <li>
      <Link to={to} className={styles.link} data-primary={primary || undefined} activeOptions={{ exact }}>
        <Icon aria-hidden size={22} strokeWidth={2} />
        <span>{label}</span>
      </Link>
    </li>
  );
}
