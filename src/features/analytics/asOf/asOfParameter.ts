import { z } from 'zod';
import { validationFailed } from '../../../core/errors.ts';

/** The query parameter `asOf`. */
export const asOfParameter = z.iso
  .datetime({ offset: true })
  .transform((text) => new Date(text))
  .optional()
  .meta({
    description:
      'A time in the past, like `2025-07-31T18:00:00Z` or `2025-07-31T20:00:00.123%2B02:00`. The answer is the one of that time: from the events that the log had recorded by then, counted under the day on which they happened. Milliseconds count, smaller parts of a second do not.',
  });

/** @throws DomainError `validation_failed` when the time is after `now`. */
export function refuseFuture(asOf: Date, now: Date): void {
  if (asOf <= now) return;
  throw validationFailed([
    {
      path: 'asOf',
      message: `asOf must not be in the future: it is ${now.toISOString()} on this server; leave asOf out for the numbers of now`,
    },
  ]);
}

export const asOfMeta = {
  asOf: z.iso
    .datetime()
    .optional()
    .meta({ description: 'The time that was asked for, in UTC.', examples: ['2025-07-31T18:00:00.000Z'] }),
};

/** A position of the log in an answer. */
export const positionInAnswer = z
  .string()
  .regex(/^\d{1,19}$/)
  .meta({ examples: ['1024'] });
