import { z } from 'zod';
import { exampleValues } from '../../http/documents/exampleValues.ts';
import { visibleLine } from '../../http/request/textSchemas.ts';
import { pageLimit } from '../../http/request/pageLimit.ts';
import { route, type Reply, type Route } from '../../http/route.ts';
import type { ParkedEvent } from '../../projecting/parking/parkedEvents.ts';
import type { Retried } from '../../projecting/parking/parkedStream.ts';
import type { ApiContext } from '../feature.ts';
import { discardParkedEvent, retryParkedEvent } from './discards.ts';

const PATH = '/api/v1/admin/projections/:name/parked';
const access = { tag: 'Operators', auth: 'required', role: 'admin' } as const;

const exampleId = exampleValues.olderVideoId;
const name = z
  .string()
  .meta({
    description: 'The name of a projection, or of a subscriber that this process runs.',
    examples: ['analytics'],
  });
const nameParams = z.object({ name });
/** Accepts any text as an id: text that cannot be one gets 404, not 400. */
const eventParams = z.object({
  name,
  id: z.string().meta({ description: 'The id of the parked event.', format: 'uuid', examples: [exampleId] }),
});
const position = z.string().meta({ description: 'Its position in the log.', examples: [exampleValues.position] });
const stream = z.string().meta({ examples: [`video-${exampleValues.videoId}`] });

const parkedEventSchema = z
  .object({
    id: z.uuid().meta({ examples: [exampleId] }),
    position,
    stream,
    revision: z.int32().meta({ description: 'Its number in the stream, from 0.', examples: [3] }),
    type: z.string().meta({ examples: ['VideoProcessed'] }),
    error: z.string().meta({ description: 'Why it could not be applied.', examples: ['duration is missing'] }),
    attempts: z.int32().meta({ description: 'How often it failed. 0 while it only waits.', examples: [4] }),
    parkedAt: z.iso.datetime().meta({ examples: [exampleValues.updated] }),
    waitsFor: z
      .uuid()
      .nullable()
      .meta({
        description:
          'The first parked event of its stream, which must be retried or discarded first. Null for that one.',
        examples: [null],
      }),
  })
  .meta({ id: 'ParkedEvent', description: 'An event that a projection could not apply, or that waits behind one.' });

export const discardReason = visibleLine({ max: 500 }).meta({
  description: 'Why the event is never to be applied. Other admins can read it; write no personal data.',
  examples: ['Recorded by a faulty client, corrected by the next event.'],
});

const outcome = {
  applied: z.int32().meta({ description: 'How many parked events of the stream were applied.', examples: [3] }),
  parked: z.int32().meta({ description: 'How many are still parked.', examples: [0] }),
  failed: parkedEventSchema
    .nullable()
    .meta({ description: 'The event that failed now. Null when the stream is free again.', examples: [null] }),
};

const refusals = {
  404: { description: 'There is no such projection, or no such parked event.', code: 'parked_event_not_found' },
  409: {
    description:
      'An earlier event of the stream is parked (`not_first_parked`; the message names it), the event was discarded (`event_discarded`), or the tables in place have another version (`other_version_in_place`).',
    code: 'not_first_parked',
  },
};

export function parkedRoutes(context: ApiContext): Route[] {
  return [listParkedEvents(context), retry(context), discard(context)];
}

function listParkedEvents(context: ApiContext): Route {
  return route({
    method: 'get',
    path: PATH,
    operationId: 'listParkedEvents',
    summary: 'List the parked events of a projection',
    description:
      'Events that the projection could not apply, and the later events of their streams, in the order of the log.',
    ...access,
    params: nameParams,
    query: z.object({
      after: z
        .string()
        .regex(/^\d{1,18}$/, 'must be a position, like 1024')
        .default('0')
        .transform(BigInt)
        .meta({ description: 'The position before the first event, such as the `nextAfter` of the page before.' }),
      limit: pageLimit,
    }),
    responses: {
      200: {
        description: 'One page of the parked events.',
        message: 'Parked events retrieved successfully',
        data: z.array(parkedEventSchema),
        meta: z.object({
          nextAfter: z
            .string()
            .nullable()
            .meta({ description: 'Null on the last page.', examples: [exampleValues.position] }),
        }),
      },
      404: { description: 'There is no such projection.', code: 'projection_unknown' },
    },
    async handle({ params, query }): Promise<Reply> {
      const { events, more } = await context.parked.list(params.name, query);
      const meta = { nextAfter: more ? String(events.at(-1)!.position) : null };
      return { status: 200, message: 'Parked events retrieved successfully', meta, data: events.map(toAnswer) };
    },
  });
}

function retry(context: ApiContext): Route {
  return route({
    method: 'post',
    path: `${PATH}/:id/retry`,
    operationId: 'retryParkedEvent',
    summary: 'Apply the parked events of a stream',
    description:
      'Applies the parked events of a stream in order, from the first one on, until one fails. Name the first one. When it fails again, the answer is 422 and the message has its error. Afterwards, when none is parked any more, the projection applies the stream as before.',
    ...access,
    params: eventParams,
    responses: {
      200: {
        description: 'At least the named event was applied.',
        message: 'Parked events applied successfully',
        data: z.object({ stream, ...outcome }),
      },
      ...refusals,
      422: { description: 'The event still cannot be applied.', code: 'event_fails_again' },
    },
    async handle({ params }): Promise<Reply> {
      const retried = await retryParkedEvent(context, params.name, params.id);
      return { status: 200, message: 'Parked events applied successfully', data: toOutcome(retried) };
    },
  });
}

function discard(context: ApiContext): Route {
  return route({
    method: 'delete',
    path: `${PATH}/:id`,
    operationId: 'discardParkedEvent',
    summary: 'Discard a parked event',
    description:
      'The projection never applies the event, also not when it is rebuilt. The decision and its reason are recorded in the log. Then the later events of its stream are applied in order, until one fails. Name the first parked event of the stream. Discarding the same event again changes nothing. During a rebuild it is refused (`rebuild_under_way`).',
    ...access,
    params: eventParams,
    body: z.object({ reason: discardReason }),
    responses: {
      200: {
        description: 'The event is discarded.',
        message: 'Parked event discarded successfully',
        data: z.object({
          discarded: z
            .object({
              eventId: z.uuid().meta({ examples: [exampleId] }),
              position,
              reason: z.string().meta({ examples: ['Recorded by a faulty client, corrected by the next event.'] }),
              by: z
                .string()
                .meta({ description: 'The id of the admin, or `command line`.', examples: [exampleValues.userId] }),
              at: z.iso.datetime().meta({ examples: [exampleValues.updated] }),
            })
            .meta({ description: 'The first decision on this event.' }),
          stream,
          ...outcome,
        }),
      },
      ...refusals,
    },
    async handle({ params, body, context: command }): Promise<Reply> {
      const request = { name: params.name, id: params.id, reason: body.reason };
      const { discard: found, retried, appended } = await discardParkedEvent(context, request, command);
      const { eventId, position: discardedPosition, reason, by, at } = found;
      const data = { discarded: { eventId, position: discardedPosition, reason, by, at }, ...toOutcome(retried) };
      return {
        status: 200,
        message: 'Parked event discarded successfully',
        data,
        ...(appended !== undefined && { appended }),
      };
    },
  });
}

function toAnswer({ position: at, parkedAt, ...event }: ParkedEvent): object {
  return { ...event, position: String(at), parkedAt: parkedAt.toISOString() };
}

function toOutcome({ failed, ...retried }: Retried): object {
  return { ...retried, failed: failed === undefined ? null : toAnswer(failed) };
}
