import { Metadata, status } from '@grpc/grpc-js';
import type { Behaviour } from './behaviour.ts';
import type { ProposedEvent } from './log.ts';

/** The limit that an append has exceeded. */
export type Excess =
  | { readonly of: 'append'; readonly limit: number }
  | { readonly of: 'event'; readonly limit: number; readonly id: string; readonly size: number };

/** Source: `Event.SizeOnDisk`; Streams.Append.cs checks each event as it arrives. */
export function excessOf(
  proposed: readonly ProposedEvent[],
  { maxAppendBytes, maxEventBytes }: Behaviour,
): Excess | undefined {
  let total = 0;
  for (const { id, type, data, metadata } of proposed) {
    const size = data.length + metadata.length + 2 * type.length;
    if (size > maxEventBytes) return { of: 'event', limit: maxEventBytes, id, size };
    total += size;
  }
  return total > maxAppendBytes ? { of: 'append', limit: maxAppendBytes } : undefined;
}

/** Source: `MaxAppendSizeExceeded` and `MaxAppendEventSizeExceeded` in RpcExceptions.cs. */
export function excessError(excess: Excess): { code: status; details: string; metadata: Metadata } {
  const metadata = new Metadata();
  metadata.set(
    'exception',
    excess.of === 'append' ? 'maximum-append-size-exceeded' : 'maximum-append-event-size-exceeded',
  );
  metadata.set(excess.of === 'append' ? 'maximum-append-size' : 'maximum-append-event-size', String(excess.limit));
  if (excess.of === 'append')
    return { code: status.INVALID_ARGUMENT, details: `Maximum Append Size of ${excess.limit} Exceeded.`, metadata };
  metadata.set('event-id', excess.id);
  metadata.set('proposed-append-event-size', String(excess.size));
  const details = `Event with Id: ${excess.id}, Size: ${excess.size}, exceeds Maximum Append Event Size of ${excess.limit}.`;
  return { code: status.INVALID_ARGUMENT, details, metadata };
}
