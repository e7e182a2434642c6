import { createHash } from 'node:crypto';
import { v7 } from 'uuid';
import type { CommandContext } from '../../core/commandContext.ts';
import { toNewEvents } from '../../core/commandHandler.ts';
import { RevisionConflict, type EventStore } from '../../core/eventStore.ts';
import { readState, type Evolution } from '../../core/readState.ts';
import type { UploadBegun } from './events.ts';

/** The video id that the first try of an upload has recorded. */
const upload: Evolution<UploadBegun, string | undefined> = {
  initialState: undefined,
  evolve: (videoId, { data }) => videoId ?? data.videoId,
};

/**
 * The id of the video that an upload becomes: new and time-ordered, but the same for every try of one upload
 * (`Idempotency-Key`). So the first try records it: a derived id (`idFor`) would not be time-ordered.
 */
export async function videoIdForUpload(
  store: Pick<EventStore, 'append' | 'readStream'>,
  ownerId: string,
  context: CommandContext,
): Promise<string> {
  const newId = v7();
  if (context.idempotencyKey === undefined) return newId;
  const hash = createHash('sha256')
    .update(JSON.stringify([ownerId, context.idempotencyKey]))
    .digest('hex');
  const stream = `upload-${hash}`;
  const begun: UploadBegun = { type: 'UploadBegun', data: { videoId: newId, ownerId, at: context.now.toISOString() } };
  await store.append(stream, toNewEvents([begun], stream, context), 'none').catch((error: unknown) => {
    if (!(error instanceof RevisionConflict)) throw error;
  });
  const { state: videoId } = await readState(store, upload, stream);
  if (videoId === undefined) throw new Error(`the stream ${stream} was written but cannot be read`);
  return videoId;
}
