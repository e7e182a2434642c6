import { z } from 'zod';
import { exampleValues } from '../../http/documents/exampleValues.ts';
import { pageLimit } from '../../http/request/pageLimit.ts';
import { route, type Reply, type Route } from '../../http/route.ts';
import { logEvent, toLogEvent } from '../../realtime/logEvent.ts';
import type { ApiContext } from '../feature.ts';
import { filterFields, logFilterOf } from './logFilter.ts';
import { readLogPage } from './logPage.ts';

export function eventLogRoutes(context: ApiContext): Route[] {
  return [
    route({
      method: 'get',
      path: '/api/v1/admin/events',
      operationId: 'listEvents',
      summary: 'Read the event log',
      description: `The events that pass all filters, in the order of the log. Personal data is left out, and so is what identifies viewers without an account.

Go on with \`after\` set to \`nextAfter\` until that is null. A page with a filter may have fewer events than \`limit\`, or none, and still not be the last: the server reads for about a second, then answers what it has found. Events that are recorded later come after \`head\`.`,
      tag: 'Operators',
      auth: 'required',
      role: 'admin',
      query: z.object({
        after: z
          .string()
          .regex(/^\d{1,19}$/, 'must be a position, like 1024')
          .default('0')
          .transform(BigInt)
          .meta({ description: 'The position before the first event, such as the `nextAfter` of the page before.' }),
        limit: pageLimit,
        ...filterFields,
      }),
      responses: {
        200: {
          description: 'One page of the log.',
          message: 'Events retrieved successfully',
          data: z.array(logEvent),
          meta: z.object({
            nextAfter: z
              .string()
              .nullable()
              .meta({ description: 'Null when there are no more events.', examples: [exampleValues.position] }),
            head: z.string().meta({ description: 'The position of the last event in the log.', examples: ['2048'] }),
          }),
        },
      },
      async handle({ query: { after, limit, ...fields }, signal }): Promise<Reply> {
        const { log } = context;
        const { events, nextAfter, head } = await readLogPage(log, logFilterOf(fields, log), { after, limit, signal });
        const meta = { nextAfter: nextAfter === null ? null : String(nextAfter), head: String(head) };
        return { status: 200, message: 'Events retrieved successfully', meta, data: events.map(toLogEvent) };
      },
    }),
  ];
}
