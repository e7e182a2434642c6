import type { ViewRule } from '../../../../projections/viewRule.ts';
import { combine, JOINT } from './combine.ts';
import { counted } from './counted.ts';
import { dailyUnique } from './dailyUnique.ts';
import { notTheOwner } from './notTheOwner.ts';

export { counted };

/** All rules. To add one, write its file and add it here: its name then works in `VIEW_RULE` and in replays. */
export const viewRules: readonly ViewRule[] = [counted, dailyUnique, notTheOwner];

/**
 * The rule of this name, or the combination of the rules whose names are joined by `+`, in any order. Undefined when there
 * is no such rule. A combination has one name: that with its rules in the order of the list, each once. `counted` changes
 * nothing in a combination, so it is left out.
 */
export function viewRuleNamed(name: string): ViewRule | undefined {
  const names = new Set(name.split(JOINT));
  const chosen = viewRules.filter((rule) => names.has(rule.name));
  if (chosen.length < names.size) return undefined;
  const effective = chosen.filter((rule) => rule !== counted);
  return effective.length === 0 ? counted : combine(effective);
}

/** For error messages. */
export const viewRuleNames = viewRules.map(({ name }) => name).join(', ');
