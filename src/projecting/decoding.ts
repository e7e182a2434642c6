import type { EventCodec } from '../core/eventCodec.ts';
import type { EventTypeDefinitions } from '../core/eventTypes.ts';

/** An event was written by a later version of the program, whose processes know how to take it in. */
export class OlderThanTheLog extends Error {
  constructor(type: string, version: number) {
    super(
      `the log holds a ${type} of version ${version}, which this version of the program does not know: start the newer one`,
    );
    this.name = 'OlderThanTheLog';
  }
}

/** Decodes, and tells events from the future (wait for the newer program) from damaged ones (park them). */
export function decodeFor(types: EventTypeDefinitions, codec: Pick<EventCodec, 'decode'>): EventCodec['decode'] {
  return async (events) => {
    for (const { type, metadata } of events) {
      if (metadata.schemaVersion > (types[type]?.version ?? Infinity))
        throw new OlderThanTheLog(type, metadata.schemaVersion);
    }
    return codec.decode(events);
  };
}
