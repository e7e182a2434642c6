import { withTimeout } from '../core/withTimeout.ts';
import { exitCodeAfter } from './exitCodes.ts';
import { whenReaderEnds } from './output.ts';
import { printError } from './failure.ts';
import { stopSignals } from './stopSignals.ts';

/** After a stop signal, a command has this time to clean up (ms). */
const CLEANING_UP_MS = 10_000;

class Stopped extends Error {}

/**
 * Makes the action of a command that ends by itself: `.action(run(async (signal, name, options) => …))`.
 * `work` resolves with the exit code. `signal` aborts at Ctrl-C and SIGTERM, and when nobody reads standard output any more; `work` then
 * cleans up and ends. A second Ctrl-C ends the process at once.
 */
export function run<Args extends unknown[]>(
  work: (signal: AbortSignal, ...args: Args) => Promise<number>,
): (...args: Args) => Promise<void> {
  return async (...args) => {
    const aborting = new AbortController();
    let stoppedWith: number | undefined;
    const stop = (exitCode: number): void => {
      stoppedWith ??= exitCode;
      aborting.abort(new Stopped('stopped'));
    };
    const signals = stopSignals();
    void signals.first.then((name) => stop(exitCodeAfter(name)));
    void signals.second.then((name) => process.exit(exitCodeAfter(name)));
    whenReaderEnds(() => stop(0));

    const working = work(aborting.signal, ...args);
    const stopping = Promise.withResolvers<undefined>();
    aborting.signal.addEventListener('abort', () => stopping.resolve(undefined));
    await Promise.race([working.catch(() => undefined), stopping.promise]);
    if (stoppedWith === undefined) process.exitCode = await working;
    else process.exitCode = await cleanedUp(working, stoppedWith);
  };
}

/** The stop is what the user wants, so its effects are not errors. Others are. */
async function cleanedUp(working: Promise<unknown>, exitCode: number): Promise<number> {
  try {
    await withTimeout(working, CLEANING_UP_MS, () => console.error('Exiting before everything is cleaned up.'));
  } catch (error) {
    if (!isEffectOfStop(error)) printError(error);
  }
  return exitCode;
}

function isEffectOfStop(error: unknown): boolean {
  return (
    error instanceof Stopped || (error instanceof Error && (error.name === 'AbortError' || isEffectOfStop(error.cause)))
  );
}
