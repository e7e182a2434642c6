import { open, rename, rm } from 'node:fs/promises';
import { StartError } from '../core/startError.ts';
import { print, whenReaderEnds } from './output.ts';

/** What has been written of an export. */
export interface Written {
  count: number;
  /** All events up to here. */
  position: bigint;
}

/** Where an export goes. */
export interface LinesOutput extends AsyncDisposable {
  readonly isTerminal: boolean;
  write(lines: string): Promise<void>;
  /** Call it after the last line. */
  complete(): Promise<void>;
  /** What to say when not everything could be written. */
  interrupted(written: Written): string | undefined;
}

export function standardOutput(): LinesOutput {
  let hasReader = true;
  whenReaderEnds(() => (hasReader = false));
  return {
    isTerminal: process.stdout.isTTY,
    write: print,
    complete: () => Promise.resolve(),
    interrupted: ({ count, position }) =>
      hasReader
        ? `Interrupted after ${count} events. To go on: --after ${position}, with the same filters.`
        : undefined,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/**
 * Until they are complete, the lines are in another file beside `path`, so that nobody takes a part for the whole. Only
 * the file's owner may read it. @throws StartError when it cannot be written
 */
export async function openFileOutput(path: string): Promise<LinesOutput> {
  const part = `${path}.${process.pid}.part`;
  const refuse = (error: Error): never => {
    throw new StartError(`${path} cannot be written: ${error.message}.`, { cause: error });
  };
  const file = await open(part, 'w', 0o600).catch(refuse);
  let complete = false;
  return {
    isTerminal: false,
    write: (lines) => file.appendFile(lines).catch(refuse),
    async complete() {
      await file.sync().catch(refuse);
      await rename(part, path).catch(refuse);
      complete = true;
    },
    interrupted: () => `Interrupted. ${path} was not written.`,
    async [Symbol.asyncDispose]() {
      await file.close();
      if (!complete) await rm(part, { force: true });
    },
  };
}
