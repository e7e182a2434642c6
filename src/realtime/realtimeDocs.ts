import { readFileSync } from 'node:fs';
import type { RealtimeDocs } from '../http/documents/docs.ts';
import { asyncApiDocument } from './asyncapi.ts';
import type { FeedDefinition } from './feedDefinition.ts';
import { realtimePage } from './realtimePage.ts';

/** The documentation of the real-time channel: as an AsyncAPI document and as a page. */
export function realtimeDocs(definition: FeedDefinition): RealtimeDocs {
  const document = asyncApiDocument(definition);
  return {
    document,
    page: realtimePage(document),
    styles: readFileSync(new URL('realtimePage.css', import.meta.url), 'utf8'),
  };
}
