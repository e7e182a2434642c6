import type { QueryClient } from '@tanstack/react-query';
import { currentSession, onSessionChange, type Session } from './session.ts';

/** What the server answered to one user is not shown to the next one. A session that ends keeps what is on the page. */
export function forgetOthersData(queries: QueryClient): void {
  let reader = readerOf(currentSession());
  onSessionChange(() => {
    const session = currentSession();
    if (session.status === 'ended') return;
    const before = reader;
    reader = readerOf(session);
    if (before === undefined || before === reader) return;
    void queries.resetQueries();
  });
}

/** Undefined while it is not known. */
function readerOf(session: Session): string | undefined {
  if (session.status === 'restoring') return undefined;
  return session.status === 'signedIn' ? session.user.id : '';
}
