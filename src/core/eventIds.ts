import { randomUUIDv7 } from 'node:crypto';
import { v5 } from 'uuid';
import type { CommandContext } from './commandContext.ts';

/** Namespace of every derived event id. It must never change: a retry must find the ids of the first try. */
const NAMESPACE = 'b0a3c1de-52f4-4f0f-9a53-6e2f7f0c9d10';

/**
 * The id of the index-th event that a command appends to a stream. With an idempotency key, the id is derived from it:
 * a retry of the command gives the same ids, and the store recognises them. Without a key, the id is new.
 */
export function eventIdFor(
  context: Pick<CommandContext, 'actor' | 'idempotencyKey'>,
  stream: string,
  index: number,
): string {
  if (context.idempotencyKey === undefined) return randomUUIDv7();
  return v5(JSON.stringify([context.actor ?? '', context.idempotencyKey, stream, index]), NAMESPACE);
}

/**
 * The id of something new that a command makes (a user, a session). With an idempotency key it is derived, so that a
 * retry goes on with what the first try made; without one it is new.
 *
 * A derived id will do where nothing is sorted by it: it says nothing about time. Where it is (the feed pages by video id)
 * the id must be a new, time-ordered one. A retry then finds it only if the first try has recorded it in the log, as
 * `videoIdForUpload` does.
 */
export function idFor(context: Pick<CommandContext, 'actor' | 'idempotencyKey'>, kind: string): string {
  // No stream has the name of a kind: streams are named `category-id`.
  return eventIdFor(context, kind, 0);
}
