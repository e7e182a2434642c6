import { once } from 'node:events';
import type { ServerWritableStream } from '@grpc/grpc-js';
import type { ReadReq, ReadResp } from '@eventstore/db-client/generated/streams_pb.js';

export type ReadCall = ServerWritableStream<ReadReq, ReadResp>;

/** Sends a message, and waits until the client can take another one. Throws when the call is cancelled. */
export async function send(call: ReadCall, message: ReadResp): Promise<void> {
  if (call.cancelled) throw new Error('cancelled');
  if (call.write(message)) return;
  const settled = new AbortController();
  const { signal } = settled;
  await Promise.race([once(call, 'drain', { signal }), once(call, 'cancelled', { signal })]).finally(() =>
    settled.abort(),
  );
}
