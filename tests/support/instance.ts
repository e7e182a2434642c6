import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findServer } from './findServer.ts';
import { eventually } from './eventually.ts';
import { freePorts } from './freePorts.ts';
import { noSettings } from './noSettings.ts';

export const REPOSITORY = new URL('../..', import.meta.url).pathname;

export interface InstanceOptions {
  readonly dataDir: string;
  readonly port: number;
  readonly socketPort: number;
  /** The command line; `node bin/reelstream.js serve` of this clone by default. */
  readonly command?: readonly [string, ...string[]];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** For root only: the user to run as. */
  readonly account?: { readonly uid: number; readonly gid: number };
}

export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly output: string;
}

/**
 * Opens a connection for each request. A connection that stays open would delay the stop of the server by two seconds.
 */
const alone = { connection: 'close' };

/** One start of ReelStream. Its environment has only the variables that the test sets. */
export class Instance implements AsyncDisposable {
  readonly url: string;
  readonly dataDir: string;
  /** What it has written to standard output and standard error so far. */
  output = '';
  readonly ended: Promise<Ending>;
  readonly #child: ChildProcess;

  constructor({
    dataDir,
    port,
    socketPort,
    command = [process.execPath, 'bin/reelstream.js', 'serve'],
    cwd = REPOSITORY,
    env,
    account,
  }: InstanceOptions) {
    this.url = `http://127.0.0.1:${port}`;
    this.dataDir = dataDir;
    const [program, ...args] = command;
    this.#child = spawn(program, args, {
      cwd,
      env: {
        ...noSettings,
        PATH: process.env['PATH'],
        DATA_DIR: dataDir,
        PORT: String(port),
        SOCKET_PORT: String(socketPort),
        RATE_LIMIT_ENABLED: 'false',
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...account,
    });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    this.ended = new Promise((resolve, reject) => {
      this.#child.once('error', reject);
      this.#child.once('close', (code, signal) => resolve({ code, signal, output: this.output }));
    });
    // A test that awaits the promise gets the error. A start that no test awaits is not an error of the test.
    this.ended.catch(() => undefined);
  }

  get pid(): number {
    return this.#child.pid!;
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async ready(): Promise<this> {
    await eventually(async () => (await fetch(`${this.url}/health/ready`, { headers: alone })).ok, {
      within: 60_000,
      what: 'ReelStream is ready',
      giveUp: () => !this.running,
    }).catch((cause: unknown) => {
      throw new Error(`ReelStream did not become ready:\n${this.output}`, { cause });
    });
    return this;
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Ending> {
    this.kill(signal);
    return this.ended;
  }

  /** The process ids of its PostgreSQL and of the watchdog. */
  async helpers(): Promise<{ postmaster: number; watchdog: number }> {
    const server = await findServer(join(this.dataDir, 'postgres'));
    if (server === undefined) throw new Error('no PostgreSQL runs on that folder');
    const watchdog = processes().find(
      ({ command }) => command.startsWith('/bin/sh -c read _; kill -INT') && command.endsWith(` ${server.pid}`),
    );
    return { postmaster: server.pid, watchdog: watchdog!.pid };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const tooLate = setTimeout(() => this.kill('SIGKILL'), 30_000);
    if (this.running) await this.stop();
    clearTimeout(tooLate);
    await gone(this.dataDir);
  }
}

/** Waits until no PostgreSQL runs on that folder. */
export async function gone(dataDir: string): Promise<void> {
  if (!existsSync(dataDir)) return;
  await eventually(async () => (await findServer(join(dataDir, 'postgres'))) === undefined, {
    within: 30_000,
    what: `no PostgreSQL runs in ${dataDir}`,
  });
}

export interface Place extends AsyncDisposable {
  readonly folder: string;
  readonly dataDir: string;
  readonly port: number;
  readonly socketPort: number;
}

/** An unused folder and two free ports. */
export async function newPlace(): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), 'reelstream-life-'));
  const [port, socketPort] = await freePorts(2);
  return {
    folder,
    dataDir: join(folder, 'data'),
    port: port!,
    socketPort: socketPort!,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

/** The child processes. Linux only, like all tests that kill processes. */
function processes(): { pid: number; command: string }[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => {
      try {
        return {
          pid: Number(name),
          command: readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim(),
        };
      } catch {
        return { pid: Number(name), command: '' };
      }
    });
}

const ADA = { name: 'Ada Lovelace', username: 'ada', email: 'ada@example.org', password: 'engine-1843' };

async function post(url: string, body: object): Promise<number> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { ...alone, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  await response.arrayBuffer();
  return response.status;
}

/** Registers an account that a later start must still know. */
export const register = ({ url }: Instance): Promise<number> => post(`${url}/api/v1/auth/register`, ADA);
export const login = ({ url }: Instance): Promise<number> =>
  post(`${url}/api/v1/auth/login`, { email: ADA.email, password: ADA.password });
