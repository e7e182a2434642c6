import { once } from 'node:events';
import type { ServerWritableStream } from '@grpc/grpc-js';
import type { ReadReq, ReadResp } from '@eventstore/db-client/generated/streams_pb.js';

export type ReadCall = ServerWritableStream<ReadReq, ReadResp>;

/** Waits until the client can take more, so that a slow one sets the pace. Throws when the call is cancelled. */
export async function send(call: ReadCall, message: ReadResp): Promise<void> {
  if (call.cancelled) throw new Error('cancelled');
  if (call.write(message)) return;
  const settled = new AbortController();
  const { signal } = settled;
  await Promise.race([once(call, 'drain', { signal }), once(call, 'cancelled', { signal })]).finally(() =>
    settled.abort(),
  );
}
