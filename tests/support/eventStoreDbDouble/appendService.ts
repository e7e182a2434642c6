import {
  Metadata,
  status,
  type sendUnaryData,
  type ServerDuplexStream,
  type ServerReadableStream,
  type StatusObject,
} from '@grpc/grpc-js';
import statusMessage from '@eventstore/db-client/generated/status_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import type {
  AppendReq,
  AppendResp,
  BatchAppendReq,
  BatchAppendResp,
} from '@eventstore/db-client/generated/streams_pb.js';
import any from 'google-protobuf/google/protobuf/any_pb.js';
import { pause } from '../../../src/core/abortable.ts';
import { timedOut, type Behaviour } from './behaviour.ts';
import type { Fault, Faults } from './faults.ts';
import { NOT_READY, type Membership } from './gossip.ts';
import type { DoubleLog, Expected, ProposedEvent } from './log.ts';
import {
  appendResponse,
  batchAppendResponse,
  batchExpectedOf,
  expectedOf,
  streamName,
  toProposed,
  type Settled,
} from './messages.ts';
import { excessError, excessOf, excessStatus } from './sizeLimits.ts';

/** What the double looks at besides its log. */
export interface Surroundings {
  readonly membership: Pick<Membership, 'refusal'>;
  readonly behaviour: Behaviour;
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

export function createAppendService(log: DoubleLog, faults: Faults, { membership, behaviour, now }: Surroundings) {
  function append(call: ServerReadableStream<AppendReq, AppendResp>, answer: sendUnaryData<AppendResp>): void {
    let options: AppendReq.Options | undefined;
    const proposed: ProposedEvent[] = [];
    let refused = false;
    call.on('error', () => undefined);
    call.on('data', (request: AppendReq) => {
      if (request.hasOptions()) options = request.getOptions();
      else proposed.push(toProposed(request.getProposedMessage()!));
      const excess = excessOf(proposed, behaviour);
      if (excess === undefined || refused) return;
      // At once, and not when all has been sent.
      refused = true;
      faults.next('append');
      answer(excessError(excess));
    });
    call.on('end', () => void finish());

    async function finish(): Promise<void> {
      if (refused) return;
      const fault = faults.next('append');
      if (fault === 'hang') return;
      const refusal = fault && refusals[fault];
      if (refusal !== undefined) return answer(refusal);
      const expected = expectedOf(options!);
      const stream = streamName(options!.getStreamIdentifier());
      const outcome = fault === 'conflict' ? conflict(stream) : await write(stream, proposed, expected);
      if (fault === 'hangAfterwards') return;
      if (fault === 'dropAfterwards') return answer(UNAVAILABLE);
      if (outcome === undefined) return answer(timedOut('Commit phase timeout.'));
      answer(null, appendResponse(outcome, expected));
    }
  }

  function conflict(stream: string): Settled {
    return { kind: 'wrongExpectedVersion', current: log.lastRevision(stream) };
  }

  /** Undefined when the time is up: the append is not indexed yet, or repeats one that is not. Source: `AllEventsWritten` in RequestManagerBase.cs. */
  async function write(
    stream: string,
    proposed: readonly ProposedEvent[],
    expected: Expected,
  ): Promise<Settled | undefined> {
    if (behaviour.appendLatencyMs > 0) await pause(behaviour.appendLatencyMs);
    const outcome = log.append(stream, proposed, expected);
    if (outcome.kind === 'wrongExpectedVersion') return outcome;
    const waiting = new AbortController();
    const late = pause(behaviour.commitTimeoutMs, waiting.signal).then(() => undefined);
    if (outcome.kind === 'notReady') return late;
    const settled = await Promise.race([log.indexed(outcome.position).then(() => outcome), late]);
    waiting.abort();
    return settled;
  }

  function batchAppend(call: ServerDuplexStream<BatchAppendReq, BatchAppendResp>): void {
    const begun = new Map<string, { first: BatchAppendReq; proposed: ProposedEvent[] }>();
    call.on('error', () => undefined);
    call.on('data', (request: BatchAppendReq) => {
      const id = request.getCorrelationId()!.getString();
      const whole = begun.get(id) ?? { first: request, proposed: [] };
      begun.set(id, whole);
      whole.proposed.push(...request.getProposedMessagesList().map(toProposed));
      const excess = excessOf(whole.proposed, behaviour);
      if (excess === undefined && !request.getIsFinal()) return;
      begun.delete(id);
      const fault = faults.next('batchAppend');
      if (excess !== undefined) call.write(batchError(whole.first).setError(excessStatus(excess)));
      else void answerBatched(call, whole.first, whole.proposed, fault);
    });
    call.on('end', () => call.end());
  }

  async function answerBatched(
    call: ServerDuplexStream<BatchAppendReq, BatchAppendResp>,
    request: BatchAppendReq,
    proposed: ProposedEvent[],
    fault: Fault | undefined,
  ): Promise<void> {
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
    if (options.hasDeadline() && options.getDeadline()!.toDate().getTime() <= now())
      return void call.write(batchRefusal(request, 'Timeout', 'event_store.client.Timeout'));
    const expected = batchExpectedOf(options);
    const stream = streamName(options.getStreamIdentifier());
    const outcome = fault === 'conflict' ? conflict(stream) : await write(stream, proposed, expected);
    if (fault === 'hangAfterwards') return;
    if (fault === 'dropAfterwards') return void call.emit('error', UNAVAILABLE);
    if (fault === 'endAfterwards') return void call.end();
    if (outcome === undefined) call.write(batchRefusal(request, 'Timeout', 'event_store.client.Timeout'));
    else call.write(batchAppendResponse(request, stream, outcome, expected));
  }

  return { append, batchAppend };
}

/** What the server answers to one append of a batch when it does not take it: an error, with empty details unless it has a name. */
function batchRefusal(
  request: BatchAppendReq,
  message: string,
  detailsType = 'google.protobuf.Empty',
): BatchAppendResp {
  const details = new any.Any();
  details.pack(new Uint8Array(), detailsType);
  return batchError(request).setError(new statusMessage.Status().setMessage(message).setDetails(details));
}

function batchError(request: BatchAppendReq): BatchAppendResp {
  return new streams.BatchAppendResp()
    .setCorrelationId(request.getCorrelationId())
    .setStreamIdentifier(request.getOptions()!.getStreamIdentifier());
}
