import type { ViewRule } from '../../../../projections/viewRule.ts';

export const notTheOwner: ViewRule = {
  name: 'not-the-owner',
  description: 'Views of the video’s own owner do not count, as far as the owner was logged in.',
  counts: ({ viewer, ownerId }) => viewer !== `user:${ownerId}`,
};
