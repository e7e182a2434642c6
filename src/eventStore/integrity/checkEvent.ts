import type { RecordedEvent } from '../../core/event.ts';
import { recordedContentOf } from '../../core/erasedFields.ts';
import { eventHash } from '../../core/eventHash.ts';
import type { Link } from './links.ts';

export interface CheckedEvent {
  /** Of the event as it is now, with its time: a seal is made of them. Of one whose text is erased, as it was recorded. */
  readonly hash: string;
  /** How the event was recorded: with its time in its hash, without it (EventStoreDB), or without a hash. */
  readonly covered: 'all' | 'all but its time' | 'nothing';
  /** Why the event cannot follow `before` in its stream. */
  readonly problem?: string;
}

/** Checks an event against the one before it in its stream. */
export function checkEvent(event: RecordedEvent, before: Link | undefined): CheckedEvent {
  const recorded = event.hash;
  const content = recordedContentOf(event);
  const hash = eventHash(before?.hash, content, event.time);
  const place = misplaced(event, before);
  if (recorded === undefined) {
    const lost = before?.hash !== undefined && 'It has no hash, although the event before it in its stream has one.';
    const problem = place ?? (lost || undefined);
    return { hash, covered: 'nothing', ...(problem !== undefined && { problem }) };
  }
  if (place !== undefined) return { hash, covered: 'all', problem: place };
  if (recorded === hash) return { hash, covered: 'all' };
  if (recorded === eventHash(before?.hash, content, undefined)) return { hash, covered: 'all but its time' };
  return {
    hash,
    covered: 'all',
    problem: `Its hash is ${recorded}, but what is stored of it, after the event before it, has the hash ${hash}.`,
  };
}

function misplaced({ revision, position }: RecordedEvent, before: Link | undefined): string | undefined {
  if (before === undefined) return revision === 0 ? undefined : `Revision ${revision - 1} of its stream is missing.`;
  const [first, last] = [before.revision + 1, revision - 1];
  if (last >= first)
    return first === last
      ? `Revision ${first} of its stream is missing.`
      : `Revisions ${first} to ${last} of its stream are missing.`;
  if (revision <= before.revision) return `Revision ${before.revision} of its stream comes before it in the log.`;
  if (before.position > position)
    return `Revision ${before.revision} of its stream comes after it in the log, at position ${before.position}.`;
  return undefined;
}
