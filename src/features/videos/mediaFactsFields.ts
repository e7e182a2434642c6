import { z } from 'zod';

/** The schemas of `MediaFacts`, as clients see them. */
export const mediaFactsFields = {
  duration: z
    .number()
    .min(0)
    .meta({ description: 'Seconds.', examples: [4] }),
  width: z
    .int32()
    .min(1)
    .meta({ description: 'Pixels, as shown.', examples: [640] }),
  height: z
    .int32()
    .min(1)
    .meta({ description: 'Pixels, as shown.', examples: [360] }),
};
