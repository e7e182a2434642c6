import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { withTimeout } from '../core/withTimeout.ts';
import { ownFolder, SERVER_ENV, type Cluster } from './cluster.ts';
import { isServerOf, readPidFile, type PidFile } from './pidFile.ts';

/** The signals that end a server, in this order, and how long to wait after each (ms). */
const STOP_STEPS = [
  ['SIGINT', 20_000], // disconnects all clients and writes a checkpoint
  ['SIGQUIT', 5_000], // ends like a crash; the next start replays the write-ahead log
  ['SIGKILL', 5_000],
] as const;

/** A small server that writes no row data to its messages. It is durable, since fsync and synchronous_commit are on by default. */
const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: '',
  port: '5432',
  unix_socket_permissions: '0700',
  max_connections: '100',
  shared_buffers: '128MB',
  jit: 'off',
  io_method: 'sync',
  max_logical_replication_workers: '0',
  timezone: 'UTC',
  log_line_prefix: '',
  log_min_messages: 'log',
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
  log_checkpoints: 'off',
};

export interface Postmaster {
  readonly pid: number;
  /** Resolves when the process has ended, for whatever reason. */
  readonly exited: Promise<void>;
  /** Its last messages, for the error that tells why it did not start. */
  readonly messages: readonly string[];
  stop(): Promise<void>;
}

/** Starts a server process. Its pid file tells when it is ready (`untilReady`). */
export function spawnPostmaster(
  cluster: Cluster,
  settings: Readonly<Record<string, string>>,
  logger: Logger,
): Postmaster {
  const options = Object.entries({ ...SETTINGS, ...settings }).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const child = spawn(join(cluster.bin, 'postgres'), ['-D', ownFolder(cluster.folder), ...options], {
    cwd: cluster.folder,
    env: SERVER_ENV,
    ...cluster.account,
    // In its own session, so that Ctrl-C in the terminal does not reach it: it must run until our last query has ended.
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const messages = collectMessages(child, logger);
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', (error) => {
      messages.push(error.message);
      resolve();
    });
  });
  const pid = child.pid ?? 0;
  const watchdog = pid === 0 ? undefined : spawnWatchdog(pid, cluster);
  const exited = ended.then(() => watchdog?.end());
  return { pid, exited, messages, stop: () => stopChild(child, exited) };
}

/** Stops the server when this process is killed: the watchdog reads a pipe that breaks when this process ends. */
function spawnWatchdog(pid: number, { account }: Cluster): { end(): Promise<void> } {
  const watchdog = spawn('/bin/sh', ['-c', 'read _; kill -INT "$0"', String(pid)], {
    cwd: '/',
    env: SERVER_ENV,
    ...account,
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  // If the watchdog does not start, the next start finds and stops a server that was left behind.
  const ended = new Promise<void>((resolve) => {
    watchdog.once('error', () => resolve());
    watchdog.once('exit', () => resolve());
  });
  watchdog.stdin?.once('error', () => undefined);
  return {
    end() {
      watchdog.kill('SIGKILL');
      return ended;
    },
  };
}

function collectMessages(child: ChildProcess, logger: Logger): string[] {
  const messages: string[] = [];
  if (child.stderr === null) return messages;
  createInterface({ input: child.stderr }).on('line', (line) => {
    messages.push(line);
    if (messages.length > 20) messages.shift();
    // Errors of one client (ERROR) are reported by that client. At a stop or a crash, every client gets these FATAL messages.
    const serious = /^(WARNING|FATAL|PANIC):(?! +(terminating connection|the database system is))/.test(line);
    logger[serious ? 'warn' : 'debug']({ component: 'postgres' }, line);
  });
  return messages;
}

async function stopChild(child: ChildProcess, exited: Promise<void>): Promise<void> {
  for (const [signal, timeoutMs] of STOP_STEPS) {
    child.kill(signal);
    const hasEnded = exited.then(() => true);
    if (await withTimeout(hasEnded, timeoutMs, () => false)) return;
  }
}

/** Stops a server that runs on this folder and was started by another process. */
export async function stopForeignServer(folder: string, pid: number): Promise<void> {
  for (const [signal, timeoutMs] of STOP_STEPS) {
    for (let waited = 0; waited < timeoutMs; waited += 25) {
      if (!(await isServerOf(folder, pid))) return;
      if (waited === 0) kill(pid, signal);
      // A paused process would not handle the signal.
      if (waited === 0) kill(pid, 'SIGCONT');
      await delay(25);
    }
  }
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // It has ended after the check.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Polls the pid file, as pg_ctl does. Each attempt to connect before the server is ready would make it log an error. */
export async function untilReady(
  cluster: Cluster,
  postmaster: Postmaster,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<PidFile | undefined> {
  let running = true;
  void postmaster.exited.then(() => (running = false));
  for (let waited = 0; running && !signal.aborted && waited < timeoutMs; waited += 10) {
    const file = await readPidFile(cluster.folder);
    if (file?.ready && file.pid === postmaster.pid) return file;
    await delay(10);
  }
  return undefined;
}
