import { describe } from '@jest/globals';

/** Tests that need an engine which an environment variable names. Where it is not named they are skipped, and say so. */
export function describeWith(variable: string, name: string, tests: (value: string) => void): void {
  const value = process.env[variable];
  if (value === undefined) process.stderr.write(`SKIPPED, because ${variable} is not set: ${name}\n`);
  (value === undefined ? describe.skip : describe)(name, () => tests(value ?? ''));
}
