import type { ViewRule } from '../../../../projections/viewRule.ts';
import { validationFailed } from '../../../core/errors.ts';
import { withinMonth, type DayRange } from '../dayRange.ts';
import { viewRuleNamed, viewRuleNames } from '../viewRules/index.ts';

/** A rule may remember each viewer of each video and day, so their number is limited. */
export const MOST_RULES = 8;

/**
 * The days and the rules of a replay, each day of the form `DAY`. A day after the end of its month means the month's last
 * day.
 * @throws DomainError `validation_failed` for a range that ends before it starts, an unknown rule, or the same rule twice.
 */
export function replayQuestion({
  from,
  to,
  rules: names,
}: {
  readonly from: string;
  readonly to: string;
  readonly rules: readonly string[];
}): { range: DayRange; rules: ViewRule[] } {
  const range = { start: withinMonth(from), end: withinMonth(to) };
  if (range.start > range.end)
    throw validationFailed([{ path: 'from', message: `from must not be after ${range.end}, the end of the range` }]);
  const rules = new Map<string, ViewRule>();
  for (const [n, name] of names.entries()) {
    const path = `rules.${n}`;
    const rule = viewRuleNamed(name);
    if (rule === undefined)
      throw validationFailed([
        { path, message: `rules must be ${viewRuleNames}, or some of them joined by +; there is no "${name}"` },
      ]);
    if (rules.has(rule.name))
      throw validationFailed([
        { path, message: `rules must differ, but ${rule.name} is given twice: remove "${name}"` },
      ]);
    rules.set(rule.name, rule);
  }
  return { range, rules: [...rules.values()] };
}
