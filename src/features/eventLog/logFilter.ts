import { z } from 'zod';
import { validationFailed } from '../../core/errors.ts';
import type { ShownEvent } from '../../core/shownEvent.ts';
import { exampleValues } from '../../http/documents/exampleValues.ts';
import { nearNames } from './nearNames.ts';

/** Which events of the log to show: those that pass all of it. */
export interface LogFilter {
  readonly stream?: string | undefined;
  /** The part of a stream's name before the hyphen. */
  readonly category?: string | undefined;
  readonly types?: readonly string[] | undefined;
  readonly correlationId?: string | undefined;
  /** When the event was recorded, inclusive. */
  readonly since?: Date | undefined;
  readonly until?: Date | undefined;
}

const name = z.string().min(1).max(500).optional();
const time = z.iso.datetime({ offset: true }).optional();

/** The fields of a request or a command line that filter. `logFilterOf` does the rest of the checks. */
export const filterFields = {
  stream: name.meta({
    description: `Only events of this stream, such as \`video-${exampleValues.videoId}\`. Fast: the stream itself is read.`,
  }),
  category: z
    .string()
    .regex(/^[^-]+$/, 'must be the part of a stream’s name before the hyphen, like video')
    .optional()
    .meta({ description: 'Only events of streams whose name begins with this and a hyphen, such as `video`.' }),
  type: name.meta({ description: 'Only events of this type. Several types are separated by commas.' }),
  correlationId: name.meta({ description: 'Only events that the request with this `X-Request-Id` caused.' }),
  since: time.meta({ description: 'Only events recorded at this time or later, such as `2025-07-14T09:30:00Z`.' }),
  until: time.meta({ description: 'Only events recorded at this time or earlier.' }),
};

type FilterFields = z.infer<z.ZodObject<typeof filterFields>>;

/** @throws DomainError `validation_failed` for an unknown type, a `since` in the future, or one after `until` */
export function logFilterOf(
  { type, since, until, ...rest }: FilterFields,
  { types: known, now = new Date() }: { readonly types: readonly string[]; readonly now?: Date },
): LogFilter {
  const types = type?.split(',').map((each) => each.trim());
  for (const each of types ?? []) if (!known.includes(each)) throw refused('type', wordsFor(each, known));
  const filter = { ...rest, types, since: dateOf(since), until: dateOf(until) };
  if (filter.since && filter.since > now)
    throw refused('since', `must not be in the future: it is ${now.toISOString()}`);
  if (filter.since && filter.until && filter.since > filter.until) throw refused('since', 'must not be after until');
  return filter;
}

function dateOf(time: string | undefined): Date | undefined {
  return time === undefined ? undefined : new Date(time);
}

function refused(path: string, problem: string): Error {
  return validationFailed([{ path, message: `${path} ${problem}` }]);
}

function wordsFor(mistyped: string, known: readonly string[]): string {
  const near = nearNames(mistyped, known);
  const shown = JSON.stringify(mistyped.slice(0, 80));
  return near.length > 0
    ? `must be an event type; there is no ${shown}, but ${near.join(', ')}`
    : `must be an event type; there is no ${shown}. The types are ${known.join(', ')}`;
}

/** The test for what the store does not filter itself. */
export function matcherOf({
  stream,
  category,
  types,
  correlationId,
  since,
  until,
}: LogFilter): (event: ShownEvent) => boolean {
  const prefix = category && `${category}-`;
  const wanted = types && new Set(types);
  return (event) =>
    (stream === undefined || event.stream === stream) &&
    (prefix === undefined || event.stream.startsWith(prefix)) &&
    (wanted === undefined || wanted.has(event.type)) &&
    (correlationId === undefined || event.metadata.correlationId === correlationId) &&
    (since === undefined || event.time >= since) &&
    (until === undefined || event.time <= until);
}
