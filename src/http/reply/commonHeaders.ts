import { ServerResponse, type OutgoingHttpHeader, type OutgoingHttpHeaders } from 'node:http';

const COMMON = Symbol('common headers');

type Headers = OutgoingHttpHeaders | OutgoingHttpHeader[];
type Head = [reason?: string | Headers, headers?: Headers];
type Carrier = ServerResponse & { [COMMON]?: Record<string, string> };

/** Headers that a response carries whatever its answer is. Headers of the answer itself take precedence. */
export function commonHeadersOf(response: ServerResponse): Record<string, string> {
  return ((response as Carrier)[COMMON] ??= {});
}

/**
 * Makes responses carry their common headers. They are added all at once when the head is written: setting ten headers
 * one by one and merging those of the answer takes as long as the rest of our work on a cached answer. From `draining` on,
 * each answer tells its client that the connection ends with it.
 */
export function createHeadersCarrier(
  draining: AbortSignal,
): (response: ServerResponse, headers: Record<string, string>) => void {
  function writeHead(this: ServerResponse, status: number, ...rest: Head): ServerResponse {
    const write = ServerResponse.prototype.writeHead as (status: number, ...rest: Head) => ServerResponse;
    const common = commonHeadersOf(this);
    if (draining.aborted) common['Connection'] = 'close';
    const [own] = rest;
    if (this.getHeaderNames().length === 0 && (own === undefined || (typeof own === 'object' && !Array.isArray(own)))) {
      return write.call(this, status, { ...common, ...own });
    }
    for (const [name, value] of Object.entries(common)) if (!this.hasHeader(name)) this.setHeader(name, value);
    return write.call(this, status, ...rest);
  }

  return (response, headers) => {
    (response as Carrier)[COMMON] = headers;
    // Of the response itself, because Express replaces its prototype.
    (response as { writeHead: typeof writeHead }).writeHead = writeHead;
  };
}
