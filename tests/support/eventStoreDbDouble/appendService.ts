import { Metadata, status, type sendUnaryData, type ServerDuplexStream, type ServerReadableStream, type StatusObject } from '@grpc/grpc-js';
import statusMessage from '@eventstore/db-client/generated/status_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { AppendReq, AppendResp, BatchAppendReq, BatchAppendResp } from '@eventstore/db-client/generated/streams_pb.js';
import any from 'google-protobuf/google/protobuf/any_pb.js';
import type { Fault, Faults } from './faults.ts';
import { NOT_READY, type Membership } from './gossip.ts';
import type { AppendOutcome, DoubleLog, ProposedEvent } from './log.ts';
import { appendResponse, batchAppendResponse, batchExpectedOf, expectedOf, streamName, toProposed } from './messages.ts';

/** What the double looks at besides its log. */
export interface Surroundings {
  readonly membership: Pick<Membership, 'refusal'>;
  /** Milliseconds, by the server's clock. */
  readonly now: () => number;
}

export const UNAVAILABLE = { code: status.UNAVAILABLE, details: 'the double broke it off' };
/** As the client finds out what is meant: by the metadata. */
export const DENIED = { code: status.PERMISSION_DENIED, details: 'Access Denied', metadata: new Metadata() };
DENIED.metadata.set('exception', 'access-denied');
const BUSY = { code: status.UNAVAILABLE, details: 'Server Is Too Busy' };

/** The error that a fault of this name is, outside a batch. Source: RpcExceptions of KurrentDB. */
export const refusals: Partial<Record<Fault, Partial<StatusObject>>> = {
  drop: UNAVAILABLE,
  busy: BUSY,
  denied: DENIED,
  notReady: NOT_READY,
  noLeader: { code: status.UNKNOWN, details: 'No leader info available in response' },
};

/** The same within a batch, where the server answers each append with an error of its own. */
const batchRefusals: Partial<Record<Fault, string>> = {
  busy: 'Server Is Busy',
  notReady: 'Server Is Not Ready',
  noLeader: 'No leader info available in response',
};

export function createAppendService(log: DoubleLog, faults: Faults, { membership, now }: Surroundings) {
  function append(call: ServerReadableStream<AppendReq, AppendResp>, answer: sendUnaryData<AppendResp>): void {
    let options: AppendReq.Options | undefined;
    const proposed: ProposedEvent[] = [];
    call.on('error', () => undefined);
    call.on('data', (request: AppendReq) => {
      if (request.hasOptions()) options = request.getOptions();
      else proposed.push(toProposed(request.getProposedMessage()!));
    });
    call.on('end', () => {
      const fault = faults.next('append');
      if (fault === 'hang') return;
      const refusal = fault && refusals[fault];
      if (refusal !== undefined) return answer(refusal);
      const expected = expectedOf(options!);
      const stream = streamName(options!.getStreamIdentifier());
      const outcome = fault === 'conflict' ? conflict(stream) : log.append(stream, proposed, expected);
      if (fault === 'hangAfterwards') return;
      if (fault === 'dropAfterwards') return answer(UNAVAILABLE);
      answer(null, appendResponse(outcome, expected));
    });
  }

  function conflict(stream: string): AppendOutcome {
    return { kind: 'wrongExpectedVersion', current: log.stream(stream).at(-1)?.revision };
  }

  function batchAppend(call: ServerDuplexStream<BatchAppendReq, BatchAppendResp>): void {
    const begun = new Map<string, { first: BatchAppendReq; proposed: ProposedEvent[] }>();
    call.on('error', () => undefined);
    call.on('data', (request: BatchAppendReq) => {
      const id = request.getCorrelationId()!.getString();
      const whole = begun.get(id) ?? { first: request, proposed: [] };
      begun.set(id, whole);
      whole.proposed.push(...request.getProposedMessagesList().map(toProposed));
      if (!request.getIsFinal()) return;
      begun.delete(id);
      answerBatched(call, whole.first, whole.proposed, faults.next('batchAppend'));
    });
    call.on('end', () => call.end());
  }

  function answerBatched(call: ServerDuplexStream<BatchAppendReq, BatchAppendResp>, request: BatchAppendReq, proposed: ProposedEvent[], fault: Fault | undefined): void {
    if (fault === 'hang') return;
    if (fault === 'drop') return void call.emit('error', UNAVAILABLE);
    if (fault === 'end') return void call.end();
    const refusal = membership.refusal(call.metadata);
    // The server finds out who the leader is when it has the first append, and ends the whole call then.
    if (refusal?.metadata !== undefined) return void call.emit('error', refusal);
    const refused = refusal?.details ?? (fault && batchRefusals[fault]);
    if (refused !== undefined) return void call.write(batchRefusal(request, refused));
    const options = request.getOptions()!;
    // An absolute time by the client's clock. Source: Streams.BatchAppend.cs of KurrentDB, GetRequestedTimeout.
    if (options.hasDeadline() && options.getDeadline()!.toDate().getTime() <= now()) return void call.write(batchRefusal(request, 'Timeout', 'event_store.client.Timeout'));
    const expected = batchExpectedOf(options);
    const stream = streamName(options.getStreamIdentifier());
    const outcome = fault === 'conflict' ? conflict(stream) : log.append(stream, proposed, expected);
    if (fault === 'hangAfterwards') return;
    if (fault === 'dropAfterwards') return void call.emit('error', UNAVAILABLE);
    if (fault === 'endAfterwards') return void call.end();
    call.write(batchAppendResponse(request, stream, outcome, expected));
  }

  return { append, batchAppend };
}

/** What the server answers to one append of a batch when it does not take it: an error, with empty details unless it has a name. */
function batchRefusal(request: BatchAppendReq, message: string, detailsType = 'google.protobuf.Empty'): BatchAppendResp {
  const details = new any.Any();
  details.pack(new Uint8Array(), detailsType);
  return new streams.BatchAppendResp()
    .setCorrelationId(request.getCorrelationId())
    .setStreamIdentifier(request.getOptions()!.getStreamIdentifier())
    .setError(new statusMessage.Status().setMessage(message).setDetails(details));
}
