import { spawn, type ChildProcess, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { findEmbeddedPostgres } from '../../src/postgres/embeddedPostgres.ts';
import { eventually } from './eventually.ts';
import { freePorts } from './freePorts.ts';
import { noSettings } from './noSettings.ts';
import { outcomeOf, type Ended } from './reelstream.ts';

export type Role = 'serve' | 'api' | 'projector' | 'media' | 'relay';

const root = new URL('../..', import.meta.url).pathname;
/** Eight processes of a cluster start at once, and other runs may use the same cores: an idle machine takes seconds. */
const READY_WITHIN_MS = 150_000;
const ENDED_WITHIN_MS = 60_000;

/** One process of ReelStream, started as a user starts it. It keeps its ports when it is restarted. */
export class SystemProcess {
  readonly role: Role;
  readonly url: string;
  /** Where clients of the original server connect their sockets. */
  readonly socketUrl: string;
  readonly logFile: string;
  readonly #environment: NodeJS.ProcessEnv;
  #child: ChildProcess | undefined;

  private constructor(role: Role, port: number, socketPort: number, logFile: string, environment: NodeJS.ProcessEnv) {
    this.role = role;
    this.url = `http://127.0.0.1:${port}`;
    this.socketUrl = `http://127.0.0.1:${socketPort}`;
    this.logFile = logFile;
    const ports = { PORT: String(port), SOCKET_PORT: String(socketPort) };
    this.#environment = { ...noSettings, MALLOC_MMAP_THRESHOLD_: '4000000', ...environment, ...ports };
  }

  static async create(
    role: Role,
    index: number,
    logFolder: string,
    environment: NodeJS.ProcessEnv,
  ): Promise<SystemProcess> {
    const [port, socketPort] = await freePorts(2);
    return new SystemProcess(role, port!, socketPort!, join(logFolder, `${role}-${index}.log`), environment);
  }

  get pid(): number | undefined {
    return this.running ? this.#child?.pid : undefined;
  }

  get running(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /**
   * Starts it and waits until it reports that it is ready. @throws with the end of its log when it does not become
   * ready.
   */
  async start(): Promise<void> {
    const child = spawn(process.execPath, ['--max-semi-space-size=8', 'bin/reelstream.js', this.role], {
      cwd: root,
      env: this.#environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    const log = createWriteStream(this.logFile, { flags: 'a' });
    child.stdout.pipe(log, { end: false });
    child.stderr.pipe(log, { end: false });
    child.once('close', () => log.end());
    await eventually(
      async () => {
        if (!this.running)
          throw new Error(`${this.role} ended with ${child.exitCode ?? child.signalCode} while starting`);
        return (await fetch(`${this.url}/health/ready`)).ok;
      },
      { within: READY_WITHIN_MS, what: `${this.role} is ready`, giveUp: () => !this.running },
    ).catch((cause: unknown) => {
      throw new Error(`${this.role} did not become ready; the end of its log:\n${this.logTail(30)}`, { cause });
    });
  }

  /** Sends a signal and waits until the process has ended. Returns its exit code, or null when the signal killed it. */
  async end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#child;
    if (child === undefined || !this.running) return child?.exitCode ?? null;
    const ended = once(child, 'exit', { signal: AbortSignal.timeout(ENDED_WITHIN_MS) });
    child.kill(signal);
    await ended.catch((cause: unknown) => {
      child.kill('SIGKILL');
      throw new Error(`${this.role} did not end on ${signal}; the end of its log:\n${this.logTail(30)}`, { cause });
    });
    return child.exitCode;
  }

  /** Starts a command of `reelstream` with the settings of this process, which may be running or not. */
  startCommand(...args: readonly string[]): ChildProcessByStdio<null, Readable, Readable> {
    return spawn(process.execPath, ['bin/reelstream.js', ...args], {
      cwd: root,
      env: this.#environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  /** As `startCommand`; resolves when it has ended. */
  async command(...args: readonly string[]): Promise<Ended> {
    return outcomeOf(this.startCommand(...args));
  }

  /** A connection string for `pg`. */
  async databaseUrl(): Promise<string> {
    const { DATABASE_URL, DATA_DIR } = this.#environment;
    const url = DATABASE_URL || (await findEmbeddedPostgres(DATA_DIR!));
    if (url === undefined) throw new Error('the embedded PostgreSQL is not running');
    return url;
  }

  /** The names of the programs that it runs now. Linux only, like all tests that kill processes. */
  children(): string[] {
    const pid = this.pid;
    if (pid === undefined) return [];
    return readdirSync(`/proc/${pid}/task`)
      .flatMap((task) => readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').trim().split(' '))
      .filter((child) => child !== '')
      .map((child) => {
        try {
          return readFileSync(`/proc/${child}/comm`, 'utf8').trim();
        } catch {
          return '(ended)';
        }
      });
  }

  logTail(lines: number): string {
    try {
      return readFileSync(this.logFile, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
    } catch {
      return '(no log)';
    }
  }
}
