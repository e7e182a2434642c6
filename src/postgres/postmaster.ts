import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { ownFolder, SERVER_ENV, type Cluster } from './cluster.ts';
import { isServerOf, readPidFile, type PidFile } from './pidFile.ts';

/** How a server is asked to end, ever less politely, and how long each request is given (ms). */
const STOP_STEPS = [
  ['SIGINT', 20_000], // disconnects everyone, writes a checkpoint
  ['SIGQUIT', 5_000], // as a crash; the log is replayed at the next start
  ['SIGKILL', 5_000],
] as const;

/** Small, durable (fsync and synchronous_commit stay on, as they are by default), and silent about what is in the rows. */
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
  /** Resolves when the process has ended, however it did. */
  readonly exited: Promise<void>;
  /** Its last messages, for the sentence that says why it did not start. */
  readonly messages: readonly string[];
  stop(): Promise<void>;
}

/** Starts a server process; whether it comes up is to be seen in its pid file. */
export function spawnPostmaster(cluster: Cluster, settings: Readonly<Record<string, string>>, log: Logger): Postmaster {
  const options = Object.entries({ ...SETTINGS, ...settings }).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const child = spawn(join(cluster.bin, 'postgres'), ['-D', ownFolder(cluster.folder), ...options], {
    cwd: cluster.folder,
    env: SERVER_ENV,
    ...cluster.account,
    // A session of its own: Ctrl-C in the terminal is ours to handle, and the server has to outlive our last query.
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const messages = collectMessages(child, log);
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

/** A process that cannot end before us cannot see us end, either: this one holds a pipe to us, and stops the server when it breaks. */
function spawnWatchdog(pid: number, { account }: Cluster): { end(): Promise<void> } {
  const watchdog = spawn('/bin/sh', ['-c', 'read _; kill -INT "$0"', String(pid)], {
    cwd: '/',
    env: SERVER_ENV,
    ...account,
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  // Without it, a server whose process was killed is found and stopped by the next start.
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

function collectMessages(child: ChildProcess, log: Logger): string[] {
  const messages: string[] = [];
  if (child.stderr === null) return messages;
  createInterface({ input: child.stderr }).on('line', (line) => {
    messages.push(line);
    if (messages.length > 20) messages.shift();
    // What it tells one client, that client reports; at a stop or a crash it tells every one of them.
    const serious = /^(WARNING|FATAL|PANIC):(?! +(terminating connection|the database system is))/.test(line);
    log[serious ? 'warn' : 'debug']({ component: 'postgres' }, line);
  });
  return messages;
}

async function stopChild(child: ChildProcess, exited: Promise<void>): Promise<void> {
  for (const [signal, patience] of STOP_STEPS) {
    child.kill(signal);
    const timer = new AbortController();
    const outcome = await Promise.race([
      exited.then(() => 'ended'),
      delay(patience, 'waiting', { signal: timer.signal }).catch(() => 'ended'),
    ]);
    timer.abort();
    if (outcome === 'ended') return;
  }
}

/** Stops a server that runs on this folder and is not our child. */
export async function stopStranger(folder: string, pid: number): Promise<void> {
  for (const [signal, patience] of STOP_STEPS) {
    for (let waited = 0; waited < patience; waited += 25) {
      if (!(await isServerOf(folder, pid))) return;
      if (waited === 0) kill(pid, signal);
      // One that somebody paused would not hear the signal.
      if (waited === 0) kill(pid, 'SIGCONT');
      await delay(25);
    }
  }
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // Ended between our look and our signal.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Polls the pid file, as pg_ctl does: connecting before the server is ready would fill its log with refusals. */
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
