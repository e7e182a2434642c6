import { ServerResponse, type OutgoingHttpHeader, type OutgoingHttpHeaders } from 'node:http';

const COMMON = Symbol('common headers');

type Headers = OutgoingHttpHeaders | OutgoingHttpHeader[];
type Head = [reason?: string | Headers, headers?: Headers];
type Carrier = ServerResponse & { [COMMON]?: Record<string, string> };

export interface CommonHeaders {
  /** Of every response. */
  readonly headers: Readonly<Record<string, string>>;
  /** From then on, each answer tells its client that the connection ends with it. */
  readonly draining: AbortSignal;
}

/** Headers that only this response carries, whatever its answer is. Headers of the answer itself take precedence. */
export function commonHeadersOf(response: ServerResponse): Record<string, string> {
  return ((response as Carrier)[COMMON] ??= {});
}

/**
 * Makes responses carry the headers of all responses, and each its own (`commonHeadersOf`). They are added when the head is
 * written, as one list. To set ten headers one by one takes as long as the rest of our work on a cached answer. To merge them
 * into one object takes a twentieth of the whole request longer than the list.
 */
export function createHeadersCarrier({
  headers,
  draining,
}: CommonHeaders): (response: ServerResponse, ofThisOne: Record<string, string>) => void {
  function writeHead(this: ServerResponse, status: number, ...rest: Head): ServerResponse {
    const write = ServerResponse.prototype.writeHead as (status: number, ...rest: Head) => ServerResponse;
    const common = commonHeadersOf(this);
    if (draining.aborted) common['Connection'] = 'close';
    const [own = {}] = rest;
    if (this.getHeaderNames().length === 0 && typeof own === 'object' && !Array.isArray(own)) {
      const list: OutgoingHttpHeader[] = [];
      for (const name in headers) if (!(name in own)) list.push(name, headers[name]!);
      for (const name in common) if (!(name in own)) list.push(name, common[name]!);
      for (const name in own) list.push(name, own[name]!);
      return write.call(this, status, list);
    }
    for (const [name, value] of Object.entries({ ...headers, ...common }))
      if (!this.hasHeader(name)) this.setHeader(name, value);
    return write.call(this, status, ...rest);
  }

  return (response, ofThisOne) => {
    (response as Carrier)[COMMON] = ofThisOne;
    // Of the response itself, because Express replaces its prototype.
    (response as { writeHead: typeof writeHead }).writeHead = writeHead;
  };
}
