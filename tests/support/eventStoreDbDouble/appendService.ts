import { Metadata, status, type sendUnaryData, type ServerDuplexStream, type ServerReadableStream } from '@grpc/grpc-js';
import statusMessage from '@eventstore/db-client/generated/status_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { AppendReq, AppendResp, BatchAppendReq, BatchAppendResp } from '@eventstore/db-client/generated/streams_pb.js';
import any from 'google-protobuf/google/protobuf/any_pb.js';
import type { Fault, Faults } from './faults.ts';
import type { AppendOutcome, DoubleLog, ProposedEvent } from './log.ts';
import { appendResponse, batchAppendResponse, batchExpectedOf, expectedOf, streamName, toProposed } from './messages.ts';

export const UNAVAILABLE = { code: status.UNAVAILABLE, details: 'the double broke it off' };
/** As the client finds out what is meant: by the metadata. */
export const DENIED = { code: status.PERMISSION_DENIED, details: 'Access Denied', metadata: new Metadata() };
DENIED.metadata.set('exception', 'access-denied');
const BUSY = { code: status.UNAVAILABLE, details: 'Server Is Too Busy' };

export function createAppendService(log: DoubleLog, faults: Faults) {
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
      if (fault === 'drop') return answer(UNAVAILABLE);
      if (fault === 'busy') return answer(BUSY);
      if (fault === 'denied') return answer(DENIED);
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
    if (fault === 'busy') return void call.write(busyResponse(request));
    const options = request.getOptions()!;
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

/** What the server answers within a batch when it cannot take an append: an error with empty details. */
function busyResponse(request: BatchAppendReq): BatchAppendResp {
  const details = new any.Any();
  details.pack(new Uint8Array(), 'google.protobuf.Empty');
  return new streams.BatchAppendResp()
    .setCorrelationId(request.getCorrelationId())
    .setStreamIdentifier(request.getOptions()!.getStreamIdentifier())
    .setError(new statusMessage.Status().setMessage('Server Is Busy').setDetails(details));
}
