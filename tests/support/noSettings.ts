import { variables } from '../../src/config/configVariables.ts';

/** Every setting as empty, which counts as not set and still wins over `.env`: tests must not reach what a developer's `.env` names. */
export const noSettings: Readonly<Record<string, string>> = Object.fromEntries(
  Object.keys(variables).map((name) => [name, '']),
);
