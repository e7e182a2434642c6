import { z } from 'zod';
import { DomainError } from '../../../core/errors.ts';
import { exampleValues } from '../../../http/documents/exampleValues.ts';
import { route, type Reply, type Route } from '../../../http/route.ts';
import type { ApiContext } from '../../feature.ts';
import { DAY } from '../dayRange.ts';
import { viewRules } from '../viewRules/index.ts';
import { MOST_RULES, replayQuestion } from './replayQuestion.ts';
import { replayViews } from './replayViews.ts';

/** In seconds. A replay takes about ten for each million of views in the log. */
const TRY_AGAIN_AFTER = 10;

const day = z.string().regex(DAY, 'must be a day like 2025-01-31');
const byRule = z.record(z.string(), z.int32()).meta({ examples: [{ counted: 5, 'daily-unique': 3 }] });
const difference = z
  .record(z.string(), z.int32())
  .meta({
    description: 'Under each other rule: its views less those under the first rule.',
    examples: [{ 'daily-unique': -2 }],
  });

const replaySchema = z.object({
  rules: z
    .array(z.string())
    .meta({
      description: 'The names of the rules, in the order of the request.',
      examples: [['counted', 'daily-unique']],
    }),
  days: z
    .array(z.object({ date: z.iso.date().meta({ examples: ['2025-07-14'] }), views: byRule, difference }))
    .meta({ description: 'In order. Days on which no rule counts a view are left out.' }),
  total: z.object({ views: byRule, difference }),
});

export function replayRoute({ store }: ApiContext): Route {
  let isUnderWay = false;

  return route({
    method: 'post',
    path: '/api/v1/admin/replays',
    operationId: 'replayViews',
    summary: 'Compare view rules',
    description: `Counts the views of each day (UTC), of all videos, under several view rules, from the event log. It changes nothing. The rules are:

${viewRules.map(({ name, description }) => `- \`${name}\`: ${description}`).join('\n')}

Several joined by \`+\` are a rule as well: \`daily-unique+not-the-owner\`. The live rule, which \`GET /api/v1/analytics\` counts under, is the setting \`VIEW_RULE\` of the server.

It reads the whole log, which takes a while, so each process does one at a time. It ends when the client closes the connection.`,
    tag: 'Operators',
    auth: 'required',
    role: 'admin',
    body: z.object({
      from: day.meta({ description: 'The first day.', examples: ['2025-07-01'] }),
      to: day.meta({
        description: 'The last day. A day after the end of its month (`2025-02-31`) means the last day of the month.',
        examples: ['2025-07-31'],
      }),
      rules: z
        .array(
          z
            .string()
            .max(200)
            .meta({ examples: ['daily-unique'] }),
        )
        .min(1, `must name at least one of ${viewRules.map(({ name }) => name).join(', ')}`)
        .max(MOST_RULES, `must be ${MOST_RULES} at most`)
        .meta({
          description: 'The rules to compare, each once. The others are compared with the first.',
          examples: [['counted', 'daily-unique']],
        }),
    }),
    responses: {
      200: {
        description: 'The views of each day under each rule.',
        message: 'Views replayed successfully',
        data: replaySchema,
        meta: z.object({
          position: z
            .string()
            .meta({
              description: 'The end of the log when the replay began. Views that were recorded later are not counted.',
              examples: [exampleValues.position],
            }),
        }),
      },
      409: {
        description: 'This process is replaying already. Try again after `Retry-After` seconds.',
        code: 'replay_under_way',
      },
    },
    async handle({ body, signal }): Promise<Reply> {
      const question = replayQuestion(body);
      if (isUnderWay)
        throw new DomainError(
          'conflict',
          'replay_under_way',
          'Another replay is under way; try again when it has ended.',
          { retryAfter: TRY_AGAIN_AFTER },
        );
      isUnderWay = true;
      try {
        const { position, ...data } = await replayViews({ store, ...question, signal });
        return { status: 200, message: 'Views replayed successfully', data, meta: { position: String(position) } };
      } finally {
        isUnderWay = false;
      }
    },
  });
}
