import { randomUUID } from 'node:crypto';
import type { ReadReq } from '@eventstore/db-client/generated/streams_pb.js';
import { pause } from '../../../src/core/abortable.ts';
import { refusals, UNAVAILABLE } from './appendService.ts';
import { PAGE_EVENTS, type Behaviour } from './behaviour.ts';
import type { Fault, Faults } from './faults.ts';
import type { DoubleLog } from './log.ts';
import { confirmationResponse, eventResponse, streamName, streamNotFoundResponse } from './messages.ts';
import { selected } from './selection.ts';
import { send, type ReadCall } from './sending.ts';
import { createSubscription } from './subscription.ts';

export interface ReadService {
  read(call: ReadCall): void;
  readonly subscriptions: Set<LiveSubscription>;
  /** The reads under way, without subscriptions. */
  readonly reads: Set<object>;
}

export interface LiveSubscription {
  end(): void;
  fail(): void;
  /** Keeps the call open and sends nothing more. */
  hang(): void;
}

export function createReadService(log: DoubleLog, faults: Faults, behaviour: Behaviour): ReadService {
  const subscriptions = new Set<LiveSubscription>();
  const service: ReadService = { read, subscriptions, reads: new Set() };

  function read(call: ReadCall): void {
    call.on('error', () => undefined);
    const options = call.request.getOptions()!;
    const work = options.hasSubscription() ? subscribe(call, options) : readOnce(call, options);
    // Only a call that the client cancelled rejects.
    work.catch(() => undefined);
  }

  async function readOnce(call: ReadCall, options: ReadReq.Options): Promise<void> {
    const fault = faults.next('read');
    service.reads.add(call);
    for (const end of ['cancelled', 'finish']) call.on(end, () => service.reads.delete(call));
    if (fault === 'hang') return;
    const refusal = fault && refusals[fault];
    if (refusal !== undefined) return void call.emit('error', refusal);
    let left = BigInt(options.getCount());
    let given = 0;
    const name = options.getStream();
    if (name !== undefined && log.stream(streamName(name.getStreamIdentifier())).length === 0) {
      await send(call, streamNotFoundResponse(streamName(name.getStreamIdentifier())));
    }
    for (const event of selected(log, options)) {
      if (left-- === 0n) break;
      if (given % PAGE_EVENTS === 0 && behaviour.pageLatencyMs > 0) await pause(behaviour.pageLatencyMs);
      await send(call, eventResponse(event));
      if (++given < 3) continue;
      if (fault === 'hangAfterwards') return;
      if (fault === 'dropAfterwards') return void call.emit('error', UNAVAILABLE);
      if (fault === 'endAfterwards') break;
    }
    call.end();
  }

  async function subscribe(call: ReadCall, options: ReadReq.Options): Promise<void> {
    const fault = faults.next('subscribe');
    const refusal = fault && refusals[fault];
    if (refusal !== undefined) return void call.emit('error', refusal);
    await send(call, confirmationResponse(randomUUID()));
    if (fault === 'end') return void call.end();
    await follow(call, options, fault);
  }

  async function follow(call: ReadCall, options: ReadReq.Options, fault: Fault | undefined): Promise<void> {
    const subscription = createSubscription(call, options, log, behaviour);
    if (fault === 'hang') subscription.hang();
    const live: LiveSubscription = {
      end: () => {
        subscription.stop();
        call.end();
      },
      fail: () => {
        subscription.stop();
        call.emit('error', UNAVAILABLE);
      },
      hang: subscription.hang,
    };
    subscriptions.add(live);
    call.on('cancelled', subscription.stop);
    try {
      await subscription.run();
    } finally {
      subscriptions.delete(live);
    }
  }

  return service;
}
