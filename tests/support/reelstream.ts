import { spawn, type ChildProcessByStdio } from 'node:child_process';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { noSettings } from './noSettings.ts';

export interface Ended {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

/** Runs a command of a shell in this repository, with the Node of this process and without settings. */
export async function inShell(command: string, env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const child = spawn('bash', ['-c', command], {
    cwd: `${import.meta.dirname}/../..`,
    env: {
      ...process.env,
      ...noSettings,
      PATH: `${process.execPath.replace(/\/[^/]+$/, '')}:${process.env['PATH']}`,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return outcomeOf(child);
}

export async function outcomeOf(child: ChildProcessByStdio<null, Readable, Readable>): Promise<Ended> {
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [output, errors, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, output, errors };
}

/** Runs `npm run -s reelstream -- <commandLine>`, which may end with a redirection or a pipe. */
export async function reelstream(commandLine: string, env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  return inShell(`npm run -s reelstream -- ${commandLine}`, env);
}
