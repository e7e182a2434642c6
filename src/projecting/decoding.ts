import type { EventCodec } from '../core/eventCodec.ts';
import type { EventTypeDefinitions } from '../core/eventTypes.ts';

/** A newer version of the program wrote the event, and only its processes can apply it. */
export class OlderThanTheLog extends Error {
  constructor(type: string, version: number) {
    super(
      `the log holds a ${type} of version ${version}, which this version of the program does not know: start the newer program`,
    );
    this.name = 'OlderThanTheLog';
  }
}

/** Decodes. Tells events of a newer program, which wait for that program, from damaged events, which are parked. */
export function decodeFor(types: EventTypeDefinitions, codec: Pick<EventCodec, 'decode'>): EventCodec['decode'] {
  return async (events) => {
    for (const { type, metadata } of events) {
      if (metadata.schemaVersion > (types[type]?.version ?? Infinity))
        throw new OlderThanTheLog(type, metadata.schemaVersion);
    }
    return codec.decode(events);
  };
}
