import { readFileSync } from 'node:fs';
import type { RealtimeDocs } from '../http/documents/docs.ts';
import { asyncApiDocument } from './asyncapi.ts';
import { realtimePage } from './realtimePage.ts';

/** What describes the real-time channel: the AsyncAPI document, and the same as a page. */
export function realtimeDocs(): RealtimeDocs {
  const document = asyncApiDocument();
  return {
    document,
    page: realtimePage(document),
    styles: readFileSync(new URL('realtimePage.css', import.meta.url), 'utf8'),
  };
}
