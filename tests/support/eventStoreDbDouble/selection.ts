import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { ReadReq } from '@eventstore/db-client/generated/streams_pb.js';
import type { DoubleLog, StoredEvent } from './log.ts';
import { streamName } from './messages.ts';

type Test = (event: StoredEvent) => boolean;

/**
 * The events of a read. It begins at the position; backwards, before it. A read forwards includes events appended
 * meanwhile.
 */
export function* selected(log: DoubleLog, options: ReadReq.Options): Generator<StoredEvent> {
  const backwards = options.getReadDirection() === streams.ReadReq.Options.ReadDirection.BACKWARDS;
  const stream = options.getStream();
  const matches = matcher(options);
  const events = stream === undefined ? log.events : log.stream(streamName(stream.getStreamIdentifier()));
  const within = stream === undefined ? allBounds(options, backwards) : streamBounds(stream, backwards);
  const size = events.length;
  for (let n = 0; n < (backwards ? size : events.length); n++) {
    const event = events[backwards ? size - 1 - n : n]!;
    if (within(event) && matches(event)) yield event;
  }
}

function streamBounds(stream: ReadReq.Options.StreamOptions, backwards: boolean): Test {
  if (!stream.hasRevision()) return () => stream.hasStart() !== backwards;
  const revision = BigInt(stream.getRevision());
  return (event) => (backwards ? event.revision <= revision : event.revision >= revision);
}

function allBounds(options: ReadReq.Options, backwards: boolean): Test {
  const all = options.getAll()!;
  if (!all.hasPosition()) return () => all.hasStart() !== backwards;
  const position = BigInt(all.getPosition()!.getCommitPosition());
  return (event) => (backwards ? event.position < position : event.position >= position);
}

/**
 * The events of a subscription: those after the position. The server compares commit positions first, then prepare
 * positions.
 */
export function after(options: ReadReq.Options): Test {
  const all = options.getAll()!;
  if (all.hasStart()) return () => true;
  if (all.hasEnd()) return () => false;
  const commit = BigInt(all.getPosition()!.getCommitPosition());
  const prepare = BigInt(all.getPosition()!.getPreparePosition());
  return ({ position }) => position > commit || (position === commit && position > prepare);
}

export function matcher(options: ReadReq.Options): Test {
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
