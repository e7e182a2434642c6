import { createHash } from 'node:crypto';
import { v7 } from 'uuid';
import type { CommandContext } from '../../core/commandContext.ts';
import { toNewEvents } from '../../core/commandHandler.ts';
import type { RecordedEvent } from '../../core/event.ts';
import { RevisionConflict, type EventStore } from '../../core/eventStore.ts';
import type { UploadBegun } from './events.ts';

/** The id of the video that an upload becomes: new and time-ordered, but the same for every try of one upload (`Idempotency-Key`). */
export async function videoIdForUpload(
  store: Pick<EventStore, 'append' | 'readStream'>,
  ownerId: string,
  context: CommandContext,
): Promise<string> {
  const videoId = v7();
  if (context.idempotencyKey === undefined) return videoId;
  const hash = createHash('sha256')
    .update(JSON.stringify([ownerId, context.idempotencyKey]))
    .digest('hex');
  const stream = `upload-${hash}`;
  const begun: UploadBegun = { type: 'UploadBegun', data: { videoId, ownerId, at: context.now.toISOString() } };
  await store.append(stream, toNewEvents([begun], stream, context), 'none').catch((error: unknown) => {
    if (!(error instanceof RevisionConflict)) throw error;
  });
  for await (const first of store.readStream(stream)) return (first as RecordedEvent<UploadBegun>).data.videoId;
  throw new Error(`the stream ${stream} was written and cannot be read`);
}
