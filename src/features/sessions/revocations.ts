import { abortable, pause } from '../../core/abortable.ts';
import type { DomainEvent } from '../../core/event.ts';
import type { EventStore } from '../../core/eventStore.ts';
import type { AuthenticatedUser } from '../../http/route.ts';
import type { FailureLog } from '../../telemetry/failureLog.ts';
import type { OtherSessionsRevoked, PasswordChanged, UserForgotten, UserSuspended } from '../accounts/index.ts';
import { hasEnded, type SessionOwner } from './decider.ts';
import type { SessionRevoked } from './events.ts';

type Revocation = SessionRevoked | PasswordChanged | OtherSessionsRevoked | UserSuspended | UserForgotten;
const types: readonly Revocation['type'][] = [
  'SessionRevoked',
  'PasswordChanged',
  'OtherSessionsRevoked',
  'UserSuspended',
  'UserForgotten',
];

/** A forgotten user has no session of any generation. */
const ALL_ENDED: SessionOwner = { generation: Infinity, keptSession: null };

/** A token of a session that was refreshed at the moment of its end is issued after it: by this much at most (ms). */
const ISSUED_LATE_MS = 60_000;
const RETRY_MS = 500;
/** While others append without a break, the log is read for so long, then not, so that it is not read for each of their commits. */
const READ_MS = 5;
const GATHER_MS = 25;

/** The part of a token by which it is revoked. */
export type TokenOwner = Pick<AuthenticatedUser, 'id' | 'session'>;

/**
 * The sessions that ended while their access tokens are still valid. Refreshing reads the log; this is for tokens, which are
 * checked without a look-up.
 */
export interface Revocations {
  /** A look-up in memory. */
  isRevoked(user: TokenOwner): boolean;
  /** Takes in events of all kinds. The same ones again change nothing. */
  add(events: readonly DomainEvent[]): void;
  /** Calls back with the id of each user of whom a session ended. Returns a function that stops it. */
  onRevoked(listener: (userId: string) => void): () => void;
}

interface Ended extends SessionOwner {
  readonly until: number;
}

/** @param accessSeconds for how long an access token is valid */
export function createRevocations({ accessSeconds }: { readonly accessSeconds: number }): Revocations {
  /** Until when each is kept (ms since 1970), in the order of these times. */
  const sessions = new Map<string, number>();
  const users = new Map<string, Ended>();
  const listeners = new Set<(userId: string) => void>();

  function add({ type, data }: Revocation, now: number): void {
    const until = now + rememberedMs(accessSeconds);
    if (type === 'SessionRevoked') {
      if (sessions.has(data.sessionId)) return;
      sessions.set(data.sessionId, until);
    } else {
      const { generation, keptSession } = type === 'UserForgotten' ? ALL_ENDED : data;
      if ((users.get(data.userId)?.generation ?? 0) >= generation) return;
      users.delete(data.userId);
      users.set(data.userId, { generation, keptSession, until });
    }
    for (const listener of listeners) listener(data.userId);
  }

  function forgetOld(now: number): void {
    for (const [id, until] of sessions) {
      if (until > now) break;
      sessions.delete(id);
    }
    for (const [id, { until }] of users) {
      if (until > now) break;
      users.delete(id);
    }
  }

  return {
    isRevoked({ id, session }) {
      if (session !== undefined && sessions.has(session.id)) return true;
      const ended = users.get(id);
      // A token that names no session is as old as the user.
      return ended !== undefined && hasEnded(session ?? { id: '', generation: 0 }, ended);
    },
    add(events) {
      const now = Date.now();
      forgetOld(now);
      for (const event of events) if (isRevocation(event)) add(event, now);
    },
    onRevoked(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

function isRevocation(event: DomainEvent): event is Revocation {
  return (types as readonly string[]).includes(event.type);
}

function rememberedMs(accessSeconds: number): number {
  return accessSeconds * 1_000 + ISSUED_LATE_MS;
}

export interface FollowOptions {
  readonly store: Pick<EventStore, 'positionBefore' | 'readAll' | 'subscribe'>;
  readonly revocations: Pick<Revocations, 'add'>;
  readonly accessSeconds: number;
  /** Told each time that the log cannot be read. */
  readonly failed: FailureLog;
  /** Called when all that the log had has been taken in. */
  readonly caughtUp: () => void;
  readonly signal: AbortSignal;
}

/**
 * Takes in what the log has of the time in which valid tokens were issued, then what any process appends. Resolves when the
 * signal aborts; goes on after an outage of the log.
 */
export async function followRevocations(options: FollowOptions): Promise<void> {
  const { store, revocations, accessSeconds, failed, caughtUp, signal } = options;
  let after: bigint | undefined;
  while (!signal.aborted) {
    try {
      const since = new Date(Date.now() - rememberedMs(accessSeconds));
      after ??= await abortable(store.positionBefore(since), signal);
      for await (const { events, position } of store.readAll({ after, types, signal })) {
        revocations.add(events);
        after = position;
      }
      caughtUp();
      let began = performance.now();
      for await (const { events, position } of store.subscribe({ after, types, signal })) {
        revocations.add(events);
        after = position;
        if (performance.now() - began < READ_MS) continue;
        await pause(GATHER_MS, signal);
        began = performance.now();
      }
    } catch (error) {
      if (!signal.aborted) failed(error, 'revoked sessions cannot be read from the log; their tokens may be accepted');
    }
    await pause(RETRY_MS, signal);
  }
}
