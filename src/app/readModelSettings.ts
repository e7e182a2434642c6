import type { ReadModelSettings } from '../../projections/settings.ts';
import type { Config } from '../config/config.ts';
import { StartError } from '../core/startError.ts';
import { viewRuleNamed, viewRuleNames } from '../features/analytics/viewRules/index.ts';

/** The settings that the rows of projections depend on. @throws StartError when there is no such view rule. */
export function readModelSettings({ viewRule: name }: Pick<Config, 'viewRule'>): ReadModelSettings {
  const viewRule = viewRuleNamed(name);
  if (viewRule === undefined)
    throw new StartError(
      `VIEW_RULE must be one of ${viewRuleNames}, or several of them joined by +, not "${name}" (example: VIEW_RULE=daily-unique).`,
    );
  return { viewRule };
}
