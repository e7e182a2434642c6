import type { ViewRule } from '../../../../projections/viewRule.ts';

/** Joins the names of combined rules. */
export const JOINT = '+';

/** A view counts if all rules accept it, and once a day for each combination of their keys. The names stay in this order. */
export function combine(rules: readonly ViewRule[]): ViewRule {
  const [first] = rules;
  if (first !== undefined && rules.length === 1) return first;
  const accepting = rules.flatMap(({ counts }) => counts ?? []);
  const keys = rules.flatMap(({ oncePerDay }) => oncePerDay ?? []);
  return {
    name: rules.map(({ name }) => name).join(JOINT),
    description: rules.map(({ description }) => description).join(' '),
    ...(accepting.length > 0 && { counts: (view) => accepting.every((counts) => counts(view)) }),
    ...(keys.length > 0 && { oncePerDay: (view) => JSON.stringify(keys.map((keyOf) => keyOf(view))) }),
  };
}
