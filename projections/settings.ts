import type { ViewRule } from './viewRule.ts';

/** The part of the configuration that rows of projections depend on. */
export interface ReadModelSettings {
  /** `VIEW_RULE`: which recorded views count. */
  readonly viewRule: ViewRule;
}
