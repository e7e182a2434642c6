import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Activity, ChartColumn, ChevronRight, Clapperboard, CircleUserRound, type LucideIcon } from 'lucide-react';
import type { ReactNode } from 'react';
import { Button } from '../../components/Button.tsx';
import { Page } from '../../components/Page.tsx';
import { Empty, Skeleton } from '../../components/States.tsx';
import { showToast } from '../../components/toastStore.ts';
import type { Claims } from '../../session/claims.ts';
import { signOut } from '../../session/commands.ts';
import { useSession } from '../../session/useSession.ts';
import styles from './AccountPage.module.css';
import { OwnData } from './OwnData.tsx';
import { Sessions } from './Sessions.tsx';
import { Settings } from './Settings.tsx';

export function AccountPage() {
  const session = useSession();
  return (
    <Page title="Account" width="narrow">
      {session.status === 'restoring' && <Skeleton lines={4} label="Loading your account" />}
      {session.status === 'signedIn' && <Account user={session.user} />}
      {(session.status === 'anonymous' || session.status === 'ended') && (
        <Empty
          title="You are signed out"
          icon={CircleUserRound}
          action={
            <Link to="/sign-in" search={{ next: '/account' }}>
              Sign in
            </Link>
          }
        >
          Sign in to see your account.
        </Empty>
      )}
    </Page>
  );
}

function Account({ user }: { readonly user: Claims }) {
  const leave = useMutation({
    mutationFn: signOut,
    onError: (error) => showToast(`You are still signed in. ${error.message}`, { tone: 'bad' }),
  });
  return (
    <>
      <section className={styles.card} aria-label="About you">
        <span className={styles.initial} aria-hidden>
          {[...user.name][0]}
        </span>
        <dl className={styles.facts}>
          <Fact label="Name">{user.name}</Fact>
          <Fact label="Username">@{user.username}</Fact>
          <Fact label="E-mail">{user.email}</Fact>
          {user.role === 'admin' && <Fact label="Role">Administrator of this server</Fact>}
        </dl>
      </section>
      <ul className={styles.links}>
        <Way to={`/u/${encodeURIComponent(user.username)}`} icon={CircleUserRound} text="Your public page" />
        <Way to="/studio" icon={Clapperboard} text="Your videos" />
        <Way to="/studio/analytics" icon={ChartColumn} text="Your numbers" />
        {user.role === 'admin' && <Way to="/operator" icon={Activity} text="Operate this server" />}
      </ul>
      <Settings user={user} />
      <Sessions />
      <OwnData />
      <div>
        <Button busy={leave.isPending} onClick={() => leave.mutate()}>
          Sign out
        </Button>
      </div>
    </>
  );
}

function Fact({ label, children }: { readonly label: string; readonly children: ReactNode }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Way({ to, icon: Icon, text }: { readonly to: string; readonly icon: LucideIcon; readonly text: string }) {
  return (
    <li>
      <Link to={to} className={styles.link}>
        <Icon aria-hidden size={20} />
        <span>{text}</span>
        <ChevronRight aria-hidden size={18} />
      </Link>
    </li>
  );
}
