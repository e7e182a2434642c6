import { afterAll, beforeAll, test } from '@jest/globals';
import { withTimeout } from '../../src/core/withTimeout.ts';
import { startSystem, type System, type SystemOptions } from './system.ts';

/** `timeout` in milliseconds, 60 000 by default. */
export type SystemTest = (name: string, run: () => Promise<void>, timeout?: number) => void;

/** Milliseconds in which a failed test says what it saw. */
export const REPORT_MS = 15_000;

/**
 * A system for the tests of a file. It starts before the first test and stops after the last. A failed test shows the
 * logs.
 */
export function useSystem(options: SystemOptions = {}): {
  readonly system: () => System;
  readonly systemTest: SystemTest;
} {
  let started: System | undefined;
  const system = (): System => {
    if (started === undefined) throw new Error('the system is not running');
    return started;
  };
  beforeAll(async () => {
    started = await startSystem(options);
  }, 180_000);
  afterAll(async () => {
    await started?.[Symbol.asyncDispose]();
  }, 120_000);

  const systemTest: SystemTest = (name, run, timeout = 60_000) => {
    test(
      name,
      async () => {
        try {
          await inTime(run, timeout);
        } catch (error) {
          if (error instanceof Error) error.message += `\n\nThe ends of the logs:\n${system().logs(25)}`;
          throw error;
        }
      },
      timeout + REPORT_MS,
    );
  };
  return { system, systemTest };
}

/** Jest ends a test that is too slow without letting it say what it saw. This one ends before. */
export function inTime(run: () => Promise<void>, timeout: number): Promise<void> {
  return withTimeout(run(), timeout, () => {
    throw new Error(`The test did not end within ${timeout} ms.`);
  });
}
