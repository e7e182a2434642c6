import { Link } from '@tanstack/react-router';
import { lazy, Suspense } from 'react';
import { Page } from '../../components/Page.tsx';
import { Skeleton } from '../../components/States.tsx';
import { useSession } from '../../session/useSession.ts';
import { AdminsOnly } from './AdminsOnly.tsx';
import styles from './Operator.module.css';
import { route } from './route.ts';

const PAGES = {
  projections: {
    label: 'Projections',
    lead: 'The read models: how far each is, and what is being done to it.',
    Content: lazy(() => import('./projections/Projections.tsx')),
  },
  log: {
    label: 'Event log',
    lead: 'Everything that has happened, as it is recorded. Personal data is left out.',
    Content: lazy(() => import('./log/Log.tsx')),
  },
  reports: {
    label: 'Reports',
    lead: 'What users say is wrong with videos, and what moderators have decided. Nothing is overwritten.',
    Content: lazy(() => import('./reports/Reports.tsx')),
  },
  jobs: {
    label: 'Jobs',
    lead: 'What the media workers have to do, do now and have done.',
    Content: lazy(() => import('./jobs/Jobs.tsx')),
  },
  system: {
    label: 'System',
    lead: 'The processes that run, and the engines they run on.',
    Content: lazy(() => import('./system/System.tsx')),
  },
  rules: {
    label: 'View rules',
    lead: 'The views of each day under two rules, counted again from the log. It changes nothing.',
    Content: lazy(() => import('./rules/Rules.tsx')),
  },
} as const;

type Name = keyof typeof PAGES;
const names = Object.keys(PAGES) as Name[];

/** The pages for admins. Each is loaded when it is opened. */
export function OperatorPage() {
  const session = useSession();
  const { page } = route.useParams();
  const { label, lead, Content } = PAGES[page as Name];
  if (session.status !== 'signedIn')
    return (
      <Page title={label}>
        <Skeleton />
      </Page>
    );
  if (session.user.role !== 'admin') return <AdminsOnly email={session.user.email} />;
  return (
    <Page title={label} lead={lead}>
      <nav className={styles.tabs} aria-label="Operator pages">
        {names.map((name) => (
          <Link key={name} to="/operator/$page" params={{ page: name }} activeOptions={{ includeSearch: false }}>
            {PAGES[name].label}
          </Link>
        ))}
      </nav>
      <Suspense fallback={<Skeleton lines={5} />}>
        <Content />
      </Suspense>
    </Page>
  );
}
