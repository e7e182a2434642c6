import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { ServerWritableStream } from '@grpc/grpc-js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { ReadReq, ReadResp } from '@eventstore/db-client/generated/streams_pb.js';
import { refusals, UNAVAILABLE } from './appendService.ts';
import type { Fault, Faults } from './faults.ts';
import type { DoubleLog, StoredEvent } from './log.ts';
import { caughtUpResponse, checkpointResponse, confirmationResponse, eventResponse, streamName, streamNotFoundResponse } from './messages.ts';

type ReadCall = ServerWritableStream<ReadReq, ReadResp>;

export interface ReadService {
  read(call: ReadCall): void;
  readonly subscriptions: Set<LiveSubscription>;
  /** Reads under way, subscriptions not included. */
  readonly reads: Set<object>;
  /** Servers before 23.10 do not say when a subscription has caught up. */
  saysCaughtUp: boolean;
}

export interface LiveSubscription {
  end(): void;
  fail(): void;
  /** Stays open and gives nothing more. */
  hang(): void;
}

/** Events searched without a match after which a filtered subscription says how far it is, unless the client names a number. */
const DEFAULT_WINDOW = 32;

export function createReadService(log: DoubleLog, faults: Faults): ReadService {
  const subscriptions = new Set<LiveSubscription>();
  const service: ReadService = { read, subscriptions, reads: new Set(), saysCaughtUp: true };

  function read(call: ReadCall): void {
    call.on('error', () => undefined);
    const options = call.request.getOptions()!;
    const work = options.hasSubscription() ? subscribe(call, options) : readOnce(call, options);
    // Only a call that the client broke off ends here with an error.
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
    const state = { done: false, hanging: fault === 'hang' };
    let wake = (): void => undefined;
    const stopListening = log.onAppend(() => wake());
    const finish = (how: () => void): void => {
      state.done = true;
      wake();
      how();
    };
    const live: LiveSubscription = {
      end: () => finish(() => call.end()),
      fail: () => finish(() => void call.emit('error', UNAVAILABLE)),
      hang: () => {
        state.hanging = true;
      },
    };
    subscriptions.add(live);
    call.on('cancelled', () => finish(() => undefined));
    try {
      const matches = matcher(options);
      const interval = checkpointInterval(options);
      let next = log.events.findIndex(after(options));
      if (next === -1) next = log.events.length;
      for (let searched = 0, caughtUp = false; !state.done; ) {
        while (next < log.events.length && !state.done && !state.hanging) {
          const event = log.events[next++]!;
          if (matches(event)) await send(call, eventResponse(event));
          if (interval !== undefined && ++searched % interval === 0) await send(call, checkpointResponse(event.position));
        }
        if (!caughtUp && !state.hanging && service.saysCaughtUp) await send(call, caughtUpResponse());
        caughtUp = true;
        if (!state.done && (next >= log.events.length || state.hanging)) await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      stopListening();
      subscriptions.delete(live);
    }
  }

  return service;
}

/** Waits until the client can take more, so that a slow one sets the pace. */
async function send(call: ReadCall, message: ReadResp): Promise<void> {
  if (call.cancelled) throw new Error('cancelled');
  if (call.write(message)) return;
  const settled = new AbortController();
  const { signal } = settled;
  await Promise.race([once(call, 'drain', { signal }), once(call, 'cancelled', { signal })]).finally(() => settled.abort());
}

/** Reads begin with the event at the position; backwards, with the one before it. */
function* selected(log: DoubleLog, options: ReadReq.Options): Generator<StoredEvent> {
  const backwards = options.getReadDirection() === streams.ReadReq.Options.ReadDirection.BACKWARDS;
  const stream = options.getStream();
  const matches = matcher(options);
  const events = stream === undefined ? log.events : log.stream(streamName(stream.getStreamIdentifier()));
  const within = stream === undefined ? allBounds(options, backwards) : streamBounds(stream, backwards);
  // As of now: what comes while this is read is not part of it.
  const size = events.length;
  for (let n = 0; n < size; n++) {
    const event = events[backwards ? size - 1 - n : n]!;
    if (within(event) && matches(event)) yield event;
  }
}

function streamBounds(stream: ReadReq.Options.StreamOptions, backwards: boolean): (event: StoredEvent) => boolean {
  if (!stream.hasRevision()) return () => stream.hasStart() !== backwards;
  const revision = BigInt(stream.getRevision());
  return (event) => (backwards ? event.revision <= revision : event.revision >= revision);
}

function allBounds(options: ReadReq.Options, backwards: boolean): (event: StoredEvent) => boolean {
  const all = options.getAll()!;
  if (!all.hasPosition()) return () => all.hasStart() !== backwards;
  const position = BigInt(all.getPosition()!.getCommitPosition());
  return (event) => (backwards ? event.position < position : event.position >= position);
}

/** Subscriptions begin after the position. The server compares commit position first, then prepare position. */
function after(options: ReadReq.Options): (event: StoredEvent) => boolean {
  const all = options.getAll()!;
  if (all.hasStart()) return () => true;
  if (all.hasEnd()) return () => false;
  const commit = BigInt(all.getPosition()!.getCommitPosition());
  const prepare = BigInt(all.getPosition()!.getPreparePosition());
  return ({ position }) => position > commit || (position === commit && position > prepare);
}

function matcher(options: ReadReq.Options): (event: StoredEvent) => boolean {
  const filter = options.getFilter();
  if (filter === undefined) return () => true;
  const expression = (filter.getEventType() ?? filter.getStreamIdentifier())!;
  const text = (event: StoredEvent): string => (filter.hasEventType() ? event.type : event.stream);
  if (expression.getRegex() === '') {
    const prefixes = expression.getPrefixList();
    return (event) => prefixes.some((prefix) => text(event).startsWith(prefix));
  }
  const regex = new RegExp(expression.getRegex());
  return (event) => regex.test(text(event));
}

function checkpointInterval(options: ReadReq.Options): number | undefined {
  const filter = options.getFilter();
  return filter && (filter.hasMax() ? filter.getMax() : DEFAULT_WINDOW) * filter.getCheckpointintervalmultiplier();
}
