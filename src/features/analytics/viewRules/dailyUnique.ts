import type { ViewRule } from '../../../../projections/viewRule.ts';

export const dailyUnique: ViewRule = {
  name: 'daily-unique',
  description: 'One view of each viewer a day (UTC) for each video.',
  oncePerDay: ({ viewer }) => viewer,
};
