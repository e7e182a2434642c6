import pLimit from 'p-limit';
import type { CommandContext } from '../../core/commandContext.ts';
import { handleCommand } from '../../core/commandHandler.ts';
import type { RecordedEvent } from '../../core/event.ts';
import type { EventStore } from '../../core/eventStore.ts';
import type { UserOutcome } from './changePassword.ts';
import { userDecider, userStream } from './decider.ts';
import type { ReservationEvent } from './events.ts';
import { reservationDecider } from './reservation.decider.ts';

type Reads = Pick<EventStore, 'readAll'>;
type Commands = Pick<EventStore, 'append' | 'readStream'>;

/** Ends the account of a user. @throws DomainError `account_unknown` */
export async function forgetUser(store: Commands, userId: string, context: CommandContext): Promise<UserOutcome> {
  const command = { type: 'ForgetUser', at: context.now.toISOString() } as const;
  return handleCommand(store, userDecider, userStream(userId), command, context);
}

const reserved: readonly ReservationEvent['type'][] = ['EmailReserved', 'UsernameReserved'];
const RELEASES_AT_ONCE = 8;

/**
 * Makes every name of a user free. It looks for them in the log, because their hashes cannot be made of names that are
 * forgotten: after a restore, the user's key may be deleted before the names are released.
 * @param log as it is stored
 */
export async function releaseNamesOf(
  { store, log }: { readonly store: Commands; readonly log: Reads },
  userId: string,
  { signal, ...context }: CommandContext & { readonly signal: AbortSignal },
): Promise<void> {
  const streams = new Set<string>();
  for await (const { events } of log.readAll({ after: 0n, types: reserved, signal }))
    for (const { stream, data } of events as readonly RecordedEvent<ReservationEvent>[])
      if (data.userId === userId) streams.add(stream);
  const command = { type: 'Release', userId, at: context.now.toISOString() } as const;
  await pLimit(RELEASES_AT_ONCE).map(streams, async (stream) => {
    const decider = reservationDecider(stream.startsWith('email-') ? 'email' : 'username');
    await handleCommand(store, decider, stream, command, context);
  });
}
