import { once } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { accounts } from '../../../projections/accounts.ts';
import { likes } from '../../../projections/likes.ts';
import { sessions } from '../../../projections/sessions.ts';
import { videos } from '../../../projections/videos/videos.ts';
import { DomainError } from '../../core/errors.ts';
import { exampleValues } from '../../http/documents/exampleValues.ts';
import { route, type Route } from '../../http/route.ts';
import type { ApiContext } from '../feature.ts';
import { exportOf } from './exportOf.ts';

/** Each reads the whole log. */
const MOST_AT_ONCE = 2;

const exported = z
  .object({
    exportedAt: z.iso.datetime().meta({ description: 'UTC.', examples: [exampleValues.updated] }),
    profile: z.object({}).loose().meta({ description: 'Your account.' }),
    sessions: z
      .array(z.object({}).loose())
      .meta({ description: 'Every login that is known, also those that have ended.' }),
    videos: z
      .array(z.object({}).loose())
      .meta({ description: 'Your videos, as the API shows them, with links to their files.' }),
    likes: z.array(z.object({}).loose()).meta({ description: 'What you like, or liked once.' }),
    uploads: z.array(z.object({}).loose()).meta({ description: 'Resumable uploads that are known.' }),
    events: z
      .array(z.object({}).loose())
      .meta({
        description:
          'Everything else: each event of the log that is about you, in its order. Among them are the views that counted, the videos that you deleted, your earlier names, and what you reported. The hash of your password is left out.',
      }),
  })
  .meta({ id: 'Export' });

export function exportRoute(context: ApiContext): Route {
  const { store, readModels } = context;
  let running = 0;
  return route({
    method: 'get',
    path: '/api/v1/auth/me/export',
    operationId: 'exportMe',
    summary: 'Get your data',
    description:
      'Everything that is known of you, as one JSON file: your profile, sessions, videos, likes, uploads under way, and every event of the log that is about you. It is sent as it is read. A file that was cut off is not valid JSON: get it again.',
    tag: 'Accounts',
    auth: 'required',
    responses: {
      200: {
        description: 'Your data.',
        contentType: 'application/json',
        body: exported,
        headers: { 'Content-Disposition': 'The name of the file.' },
      },
      503: { description: 'Others get their data at the moment (`export_busy`).', code: 'export_busy' },
    },
    async handle({ user: { id }, context: { now }, signal, raw, response }): Promise<undefined> {
      if (running >= MOST_AT_ONCE) throw busy();
      running++;
      try {
        const head = await store.head();
        await readModels.untilFresh([accounts, sessions, videos, likes], { minPosition: head, signal });
        const chunks = exportOf(context, { userId: id, until: head, now, signal });
        // What can be refused is refused before the head of the answer is sent.
        const first = await chunks.next();
        response.writeHead(200, {
          'Content-Type': 'application/json; charset=utf-8',
          'Cache-Control': 'no-store',
          'Content-Disposition': `attachment; filename="reelstream-${now.toISOString().slice(0, 10)}.json"`,
        });
        if (raw.method === 'HEAD') {
          response.end();
          return undefined;
        }
        if (!response.write(first.value ?? '')) await once(response, 'drain', { signal });
        await pipeline(Readable.from(chunks), response, { signal });
        return undefined;
      } catch (error) {
        if (!response.headersSent) throw error;
        // The client sees that the file is cut off.
        response.destroy();
        return undefined;
      } finally {
        running--;
      }
    },
  });
}

function busy(): DomainError {
  return new DomainError('unavailable', 'export_busy', 'Others get their data at the moment; try again soon.', {
    retryAfter: 10,
  });
}
