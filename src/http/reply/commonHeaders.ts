import { ServerResponse } from 'node:http';
import type { Application, Response } from 'express';

/** Headers that a response carries whatever its answer is. Headers of the answer itself take precedence. */
export function commonHeadersOf(response: Response): Record<string, string> {
  const locals = response.locals as { commonHeaders?: Record<string, string> };
  return (locals.commonHeaders ??= {});
}

/**
 * Makes all responses of an application carry their common headers. They are added all at once when the head is
 * written: setting ten headers one by one and merging those of the answer takes as long as the rest of our work on a
 * cached answer.
 */
export function writeCommonHeaders(app: Application): void {
  const write = ServerResponse.prototype.writeHead as (this: Response, status: number, ...rest: unknown[]) => Response;
  const writeHead = function (this: Response, status: number, ...rest: unknown[]): Response {
    const common = commonHeadersOf(this);
    const [own] = rest;
    if (this.getHeaderNames().length === 0 && (own === undefined || (typeof own === 'object' && !Array.isArray(own)))) {
      return write.call(this, status, { ...common, ...own });
    }
    for (const [name, value] of Object.entries(common)) if (!this.hasHeader(name)) this.setHeader(name, value);
    return write.call(this, status, ...rest);
  };
  Object.assign((app as unknown as { response: Response }).response, { writeHead });
}
