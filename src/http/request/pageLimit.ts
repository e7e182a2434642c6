import { z } from 'zod';

/** The query parameter `limit` of routes that answer in pages of the log. */
export const pageLimit = z.coerce
  .number()
  .int()
  .min(1)
  .max(1_000)
  .default(100)
  .meta({ description: 'How many events a page may have.' });
