import type { IncomingMessage } from 'node:http';
import express from 'express';

/** The one of these media types that the client likes best (`Accept`); undefined when it takes none of them. */
export function acceptedType<Type extends string>(request: IncomingMessage, types: readonly Type[]): Type | undefined {
  // The method of Express reads the headers alone, so it works on any request.
  const accepts = express.request.accepts as unknown as (
    this: IncomingMessage,
    types: readonly string[],
  ) => Type | false;
  return accepts.call(request, types) || undefined;
}
