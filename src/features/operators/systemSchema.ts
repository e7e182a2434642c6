import { z } from 'zod';
import { exampleValues } from '../../http/documents/exampleValues.ts';

const time = z.iso.datetime().meta({ examples: [exampleValues.created] });
const bytes = (example: number, description: string) =>
  z
    .number()
    .min(0)
    .meta({ description, examples: [example] });

const processSchema = z
  .object({
    id: z.uuid().meta({ examples: [exampleValues.userId] }),
    role: z.string().meta({ description: '`serve` runs all roles in one process.', examples: ['serve'] }),
    pid: z.int32().meta({ description: 'Its number on its host.', examples: [4711] }),
    host: z.string().meta({ examples: ['media-1'] }),
    version: z.string().meta({ description: 'Of ReelStream.', examples: ['0.1.0'] }),
    startedAt: time,
    lastSeenAt: time,
    state: z
      .enum(['alive', 'lost'])
      .meta({
        description:
          '`lost`: not seen for 15 s, and it has not said that it stops. It was killed, is paused, or has no connection to PostgreSQL. It is listed for ten minutes.',
        examples: ['alive'],
      }),
    appendsPerSecond: z
      .number()
      .min(0)
      .meta({ description: 'Events that it has appended to the log in the last seconds.', examples: [12.4] }),
  })
  .meta({ id: 'Process' });

const engine = z
  .object({
    engine: z.string().meta({ examples: ['PostgreSQL'] }),
    version: z
      .string()
      .nullable()
      .meta({ description: 'Null where the engine does not tell it, or does not answer.', examples: ['18.0'] }),
    place: z.string().meta({ description: 'Where it is, without passwords.', examples: ['embedded'] }),
  })
  .meta({ id: 'Engine' });

export const systemSchema = z
  .object({
    processes: z.array(processSchema).meta({ description: 'In the order of their start.' }),
    engines: z
      .object({
        runtime: engine,
        database: engine,
        eventStore: engine,
        delivery: engine.meta({ description: 'How events reach the projections.' }),
        cache: engine,
        objectStore: engine,
        ffmpeg: engine,
      })
      .meta({ description: 'As the process that answers is configured.' }),
    log: z.object({
      events: z
        .number()
        .min(0)
        .nullable()
        .meta({ description: 'Null where the event store does not count them.', examples: [2048] }),
      bytes: bytes(1_048_576, 'With indexes; null where the event store does not tell it.').nullable(),
      appendsPerSecond: z
        .number()
        .min(0)
        .meta({ description: 'Of all processes that are alive.', examples: [12.4] }),
      head: z.string().meta({ description: 'The position of the last event.', examples: ['2048'] }),
    }),
    databaseBytes: bytes(52_428_800, 'The whole database of PostgreSQL.'),
  })
  .meta({ id: 'System', description: 'What runs, and on which engines.' });

export type SystemReport = z.infer<typeof systemSchema>;
