import { z } from 'zod';

const count = (example: number, description?: string) =>
  z
    .int32()
    .min(0)
    .meta({ ...(description && { description }), examples: [example] });
const number = (example: number, description?: string) =>
  z
    .number()
    .min(0)
    .meta({ ...(description && { description }), examples: [example] });
const text = (example: string, description?: string) =>
  z.string().meta({ ...(description && { description }), examples: [example] });
const position = (description?: string) => text('1204', description);
const time = (description?: string) =>
  z.iso.datetime().meta({ ...(description && { description }), examples: ['2025-07-14T09:30:00.000Z'] });

/** An operation on a projection, as answers have it. */
export const operationSchema = z
  .object({
    id: z.uuid().meta({ examples: ['01980a41-7d93-7a08-8f5b-2c9e4a6d1b30'] }),
    kind: z.enum(['rebuild', 'rollback', 'verify']).meta({ examples: ['rebuild'] }),
    state: z
      .enum(['waiting', 'running', 'done', 'failed', 'cancelled'])
      .meta({
        description: '`waiting` until a process with the role `projector` begins. The last three are final.',
        examples: ['running'],
      }),
    askedAt: time(),
    askedBy: text('01980a3c-5b7e-7c41-9d2a-6f1e0b8c4d25', 'The id of the admin, or `command line`.'),
    startedAt: time().nullable(),
    endedAt: time().nullable(),
    progress: z
      .object({
        position: position(),
        head: position('Where it ends.'),
        events: count(1_100, 'Events that were applied.'),
        rate: number(48_000, 'Positions per second.').optional(),
        secondsLeft: number(12).optional(),
      })
      .nullable()
      .meta({ description: 'While it is open; written once a second at most.' }),
    error: text(
      'The database does not answer.',
      'Why it failed. While it is open: why the last attempt failed.',
    ).nullable(),
  })
  .meta({ id: 'ProjectionOperation', description: 'Something that was asked for.' });

const row = z.record(z.string(), z.unknown());

export const verificationSchema = z
  .object({
    position: position('Of the live tables that were compared.'),
    identical: z.boolean().meta({ description: 'Whether every row equals a replay of the log.', examples: [false] }),
    tables: z.array(
      z.object({
        table: text('videos'),
        rows: number(240),
        hash: text('8f14e45fceea167a', 'Of all live rows. Equal rows have equal hashes, in whatever order.'),
        differing: number(1, 'Rows that differ, are missing, or should not be there.'),
        drift: z
          .array(
            z.object({
              key: row.meta({ examples: [{ id: '01980a41-7d93-7a08-8f5b-2c9e4a6d1b30' }] }),
              live: row
                .nullable()
                .meta({
                  description: 'The columns that differ; null when the row is missing.',
                  examples: [{ title: 'Wrong' }],
                }),
              replayed: row
                .nullable()
                .meta({
                  description: 'The same from the log; null when the row should not be there.',
                  examples: [{ title: 'Test card' }],
                }),
            }),
          )
          .meta({ description: 'The first 20 of them. Personal data is left out.' }),
      }),
    ),
  })
  .meta({ id: 'ProjectionVerification', description: 'What a verification found.' });

export const projectionSchema = z
  .object({
    name: text('videos'),
    version: count(3, 'Of the tables in place; null before the first start.').nullable(),
    declaredVersion: count(3, 'Of this program.'),
    variant: text('daily-unique', 'The settings that the rows depend on; empty for the defaults.').nullable(),
    position: position('Events up to it are in the rows, or parked.'),
    head: position('The end of the log.'),
    lag: z.object({
      events: count(0, 'Events that are not in the rows yet; counted up to 10 000.'),
      seconds: number(0, 'The age of the oldest of them.'),
    }),
    state: z
      .enum(['live', 'rebuilding', 'behind', 'failing'])
      .meta({
        description:
          '`failing`: events are parked. `rebuilding`: new tables are being filled, and the old ones answer. `behind`: the oldest event that is missing is older than 2 s.',
        examples: ['live'],
      }),
    parkedEvents: count(0, 'Counted up to 10 000.'),
    tables: z.array(
      z.object({
        table: text('videos'),
        rows: number(240),
        isEstimate: z
          .boolean()
          .meta({ description: 'True above 10 000 rows: the number is PostgreSQL’s estimate.', examples: [false] }),
        bytes: number(98_304, 'With indexes.'),
      }),
    ),
    rebuild: operationSchema.nullable().meta({ description: 'The last one that was asked for.' }),
    upgrade: z
      .object({
        position: position(),
        rate: number(48_000, 'Positions per second.'),
        secondsLeft: number(12).optional(),
      })
      .nullable()
      .meta({
        description: 'The build of the tables of a raised version or under other settings, which begins by itself.',
      }),
    rollback: operationSchema.nullable().meta({ description: 'The last one that was asked for.' }),
    verification: operationSchema
      .extend({ result: verificationSchema.nullable().meta({ description: 'Once it is done.' }) })
      .nullable()
      .meta({ description: 'The last one that was asked for.' }),
    kept: z
      .object({ version: count(3), position: position(), until: time() })
      .nullable()
      .meta({ description: 'The tables before the last rebuild. A rollback goes back to them while they are kept.' }),
  })
  .meta({ id: 'Projection', description: 'Where a projection stands, and what is being done to it.' });
