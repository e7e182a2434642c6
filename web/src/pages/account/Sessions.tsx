import { queryOptions, useMutation, useQuery } from '@tanstack/react-query';
import { Monitor, Smartphone } from 'lucide-react';
import { useState } from 'react';
import { answerOf, api } from '../../api/client.ts';
import { reread } from '../../api/queryClient.ts';
import type { components } from '../../api/schema.d.ts';
import { Ago } from '../../components/Ago.tsx';
import { Badge } from '../../components/Badge.tsx';
import { Button } from '../../components/Button.tsx';
import { ConfirmDialog } from '../../components/ConfirmDialog.tsx';
import { Failure, Skeleton } from '../../components/States.tsx';
import { showToast } from '../../components/toastStore.ts';
import { useLiveEvents } from '../../live/useLiveEvents.ts';
import { clientName, isHandheld } from './clientName.ts';
import styles from './Sessions.module.css';

type Session = components['schemas']['Session'];

const CHANGES = new Set(['SessionStarted', 'SessionRevoked', 'PasswordChanged', 'OtherSessionsRevoked']);
const sessionsQuery = queryOptions({
  queryKey: ['sessions'],
  queryFn: async ({ signal }) => (await answerOf(api.GET('/api/v1/auth/sessions', { signal }))).data,
});

/** Where the user is signed in, as it is now. */
export function Sessions() {
  const { data, error, refetch } = useQuery(sessionsQuery);
  const [isAsking, setAsking] = useState(false);
  const readAgain = (): Promise<void> => reread({ queryKey: sessionsQuery.queryKey });
  useLiveEvents(
    ['me'],
    ({ type }) => {
      if (CHANGES.has(type)) void readAgain();
    },
    () => void readAgain(),
  );
  const endOthers = useMutation({
    mutationFn: () => answerOf(api.DELETE('/api/v1/auth/sessions')),
    onSuccess: async () => {
      setAsking(false);
      showToast('You are signed out everywhere else.', { tone: 'good' });
      await readAgain();
    },
    onError: ({ message }) => showToast(message, { tone: 'bad' }),
  });
  return (
    <section className={styles.sessions} aria-labelledby="sessions">
      <h2 id="sessions">Where you are signed in</h2>
      {data === undefined && error === null && <Skeleton lines={3} label="Loading your sessions" />}
      {data === undefined && error !== null && <Failure error={error} onRetry={() => void refetch()} />}
      {data !== undefined && (
        <ul>
          {data.map((session) => (
            <SessionRow key={session.id} session={session} onEnded={readAgain} />
          ))}
        </ul>
      )}
      {data !== undefined && data.length > 1 && (
        <div>
          <Button onClick={() => setAsking(true)}>Sign out everywhere else</Button>
        </div>
      )}
      <ConfirmDialog
        open={isAsking}
        title="Sign out everywhere else?"
        confirm="Sign out"
        busy={endOthers.isPending}
        onConfirm={() => endOthers.mutate()}
        onClose={() => setAsking(false)}
      >
        All other browsers and apps are signed out at once. You stay signed in here.
      </ConfirmDialog>
    </section>
  );
}

function SessionRow({
  session: { id, userAgent, lastUsedAt, createdAt, current },
  onEnded,
}: {
  readonly session: Session;
  readonly onEnded: () => Promise<void>;
}) {
  const name = clientName(userAgent);
  const Icon = isHandheld(userAgent) ? Smartphone : Monitor;
  const end = useMutation({
    mutationFn: () =>
      answerOf(api.DELETE('/api/v1/auth/sessions/{sessionId}', { params: { path: { sessionId: id } } })),
    onSuccess: async () => {
      showToast(`${name} is signed out.`, { tone: 'good' });
      await onEnded();
    },
    onError: ({ message }) => showToast(message, { tone: 'bad' }),
  });
  return (
    <li className={styles.session}>
      <Icon aria-hidden size={24} strokeWidth={1.5} />
      <div>
        <p className={styles.name} title={userAgent ?? undefined}>
          {name} {current && <Badge tone="good">This one</Badge>}
        </p>
        <p className={styles.times}>
          Used <Ago time={lastUsedAt} />, signed in <Ago time={createdAt} />
        </p>
      </div>
      {!current && (
        <Button busy={end.isPending} aria-label={`Sign out ${name}`} onClick={() => end.mutate()}>
          Sign out
        </Button>
      )}
    </li>
  );
}
