import { variables } from '../../src/config/configVariables.ts';

/**
 * Every setting with an empty value. That counts as not set, but wins over `.env`, so that tests cannot reach the
 * engines of a developer's `.env`.
 */
export const noSettings: Readonly<Record<string, string>> = Object.fromEntries(
  Object.keys(variables).map((name) => [name, '']),
);
