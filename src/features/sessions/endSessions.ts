import type { Kysely } from 'kysely';
import pLimit from 'p-limit';
import type { ReadModels } from '../../../projections/index.ts';
import type { CommandContext } from '../../core/commandContext.ts';
import { handleCommand } from '../../core/commandHandler.ts';
import type { EventStore } from '../../core/eventStore.ts';
import { sessionDecider, sessionStream } from './decider.ts';

const AT_ONCE = 8;

/** Revokes every session of a forgotten user that the read model has, so that it drops what the session's client said of itself. */
export async function endSessionsOf(
  { store, db }: { readonly store: Pick<EventStore, 'append' | 'readStream'>; readonly db: Kysely<ReadModels> },
  userId: string,
  context: CommandContext,
): Promise<string[]> {
  const found = await db.selectFrom('sessions.started').select('session_id').where('user_id', '=', userId).execute();
  const command = { type: 'RevokeSession', reason: 'forgotten', at: context.now.toISOString() } as const;
  const streams = found.map(({ session_id: id }) => sessionStream(id));
  await pLimit(AT_ONCE).map(streams, (stream) => handleCommand(store, sessionDecider, stream, command, context));
  return streams;
}
