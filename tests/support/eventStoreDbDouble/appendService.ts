import { Metadata, status, type sendUnaryData, type ServerReadableStream, type StatusObject } from '@grpc/grpc-js';
import type { AppendReq, AppendResp } from '@eventstore/db-client/generated/streams_pb.js';
import { pause } from '../../../src/core/abortable.ts';
import { timedOut, type Behaviour } from './behaviour.ts';
import type { Fault, Faults } from './faults.ts';
import { NOT_READY } from './gossip.ts';
import type { DoubleLog, Expected, ProposedEvent } from './log.ts';
import { appendResponse, expectedOf, streamName, toProposed, type Settled } from './messages.ts';
import { excessError, excessOf } from './sizeLimits.ts';

export const UNAVAILABLE = { code: status.UNAVAILABLE, details: 'the double broke the call' };
/** The client recognises it by the metadata. */
export const DENIED = { code: status.PERMISSION_DENIED, details: 'Access Denied', metadata: new Metadata() };
DENIED.metadata.set('exception', 'access-denied');
const BUSY = { code: status.UNAVAILABLE, details: 'Server Is Too Busy' };

/** The errors that faults are answered with. Source: RpcExceptions of KurrentDB. */
export const refusals: Partial<Record<Fault, Partial<StatusObject>>> = {
  drop: UNAVAILABLE,
  busy: BUSY,
  denied: DENIED,
  notReady: NOT_READY,
  noLeader: { code: status.UNKNOWN, details: 'No leader info available in response' },
};

export function createAppendService(log: DoubleLog, faults: Faults, behaviour: Behaviour) {
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
      // At once: the server does not wait for the rest of the request.
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

  /**
   * Undefined when the append, or the one that it repeats, is not indexed in time. Source: `AllEventsWritten` in
   * RequestManagerBase.cs.
   */
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

  return { append };
}
