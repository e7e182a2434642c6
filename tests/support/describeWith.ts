import { describe } from '@jest/globals';

/**
 * `describe` for tests that need an engine. Without the environment variable that names it, they are skipped with a
 * message.
 */
export function describeWith(variable: string, name: string, tests: (value: string) => void): void {
  const value = process.env[variable];
  if (value === undefined) process.stderr.write(`SKIPPED, because ${variable} is not set: ${name}\n`);
  (value === undefined ? describe.skip : describe)(name, () => tests(value ?? ''));
}
