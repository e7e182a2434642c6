import { useSyncExternalStore } from 'react';
import { currentSession, onSessionChange, type Session } from './session.ts';
import type { Claims } from './claims.ts';

export function useSession(): Session {
  return useSyncExternalStore(onSessionChange, currentSession);
}

/** The user who is signed in. */
export function useUser(): Claims | undefined {
  const session = useSession();
  return session.status === 'signedIn' ? session.user : undefined;
}
