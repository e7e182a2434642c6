import { AS_RECORDED, type ViewRule } from '../../../../projections/viewRule.ts';

export const counted: ViewRule = {
  name: AS_RECORDED,
  description: 'Every view as it was recorded: at most one of each viewer a minute.',
};
