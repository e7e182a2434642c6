import type { RecordedEvent } from '../src/core/event.ts';
import type { SessionEvent } from '../src/features/sessions/events.ts';
import { defineProjection } from '../src/projecting/projection.ts';
import {
  integer,
  nullable,
  personal,
  table,
  text,
  timestamptz,
  uuid,
  type NewRow,
} from '../src/projecting/tables/table.ts';
import { upsert } from '../src/projecting/tables/upsert.ts';
import { streamSubject } from './streamSubject.ts';

const startedTable = table(
  'started',
  {
    session_id: uuid,
    user_id: uuid,
    /** The user's number of that moment (`RegisteredUser.generation`). */
    generation: integer,
    /** Null also once the session was revoked. */
    user_agent: personal(nullable(text)),
    started_at: timestamptz,
  },
  { primaryKey: ['session_id'], indexes: { of_user: { columns: ['user_id', 'session_id'] } } },
);

/** Each session's last use: when it started or was refreshed. */
const usedTable = table(
  'used',
  {
    session_id: uuid,
    used_at: timestamptz,
    expires_at: timestamptz,
    /** Of the session's stream. */
    revision: integer,
  },
  { primaryKey: ['session_id'] },
);

/** The sessions that ended one by one. Those that a user ended all at once are not here: the user's stream says so. */
const revokedTable = table('revoked', { session_id: uuid, revoked_at: timestamptz }, { primaryKey: ['session_id'] });

/** The sessions of users, as they see them. Never use it to decide whether a session may be refreshed: its stream decides that. */
export const sessions = defineProjection({
  name: 'sessions',
  version: 2,
  // A login does not wait for a list that is seldom read: the list waits instead.
  awaited: false,
  tables: [startedTable, usedTable, revokedTable],
  handles: ['SessionStarted', 'SessionRefreshed', 'SessionRevoked'],
  independentBy: streamSubject,

  async apply(events: readonly RecordedEvent<SessionEvent>[], db) {
    const started = new Map<string, NewRow<typeof startedTable>>();
    const used = new Map<string, NewRow<typeof usedTable>>();
    const revoked = new Map<string, NewRow<typeof revokedTable>>();
    const ended = new Map<string, NewRow<typeof startedTable>>();
    for (const { type, data, revision } of events) {
      const { sessionId: session_id, userId: user_id, at } = data;
      if (type === 'SessionRevoked') {
        revoked.set(session_id, { session_id, revoked_at: at });
        const before = started.get(session_id) ?? { session_id, user_id, generation: 0, started_at: at };
        ended.set(session_id, { ...before, user_agent: null });
        continue;
      }
      used.set(session_id, { session_id, used_at: at, expires_at: data.expiresAt, revision });
      if (type === 'SessionStarted') {
        const { userAgent: user_agent, generation } = data;
        started.set(session_id, { session_id, user_id, generation, user_agent, started_at: at });
      }
    }
    await upsert(db, startedTable, [...started.values()]);
    const keep = ['user_id', 'generation', 'started_at'] as const;
    await upsert(db, startedTable, [...ended.values()], { keep, insert: false });
    await upsert(db, usedTable, [...used.values()], { onlyIfGreater: 'revision' });
    await upsert(db, revokedTable, [...revoked.values()]);
  },
});
