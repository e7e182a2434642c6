import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './eventually.ts';
import { freshEngines, type Engines } from './systemEngines.ts';
import { SystemProcess, type Role } from './systemProcess.ts';
import { copyUsedDataFolder } from './usedDataFolder.ts';

export type Profile = 'embedded' | 'cluster';
export const profile: Profile = process.env['SYSTEM_PROFILE'] === 'cluster' ? 'cluster' : 'embedded';

/**
 * How many connections a process may open. Several systems of eight processes run at once, and their PostgreSQL has 200
 * connections.
 */
const CONNECTIONS: Readonly<Record<Role, string>> = {
  serve: '60',
  api: '10',
  projector: '20',
  media: '12',
  relay: '9',
};

export interface SystemOptions {
  /** In a cluster, how many processes play each role; 2 by default. */
  readonly ofEach?: number;
  /** Settings that replace the usual ones. A function gets the variables of the engines. */
  readonly environment?:
    | Readonly<Record<string, string>>
    | ((engines: Readonly<Record<string, string>>) => Promise<Readonly<Record<string, string>>>);
}

/**
 * A running ReelStream: one process with every role (embedded), or two processes of each role on real engines
 * (cluster).
 */
export interface System extends AsyncDisposable {
  readonly profile: Profile;
  /** Base URLs of the API processes. */
  readonly apis: readonly string[];
  /** The next of them in turn. */
  api(): string;
  /** Where clients of the original server connect their sockets; one URL for each API process. */
  readonly sockets: readonly string[];
  readonly processes: readonly SystemProcess[];
  /** The processes with a role. In the embedded profile it is always the only process. */
  playing(role: Exclude<Role, 'serve'>): readonly SystemProcess[];
  /** The last lines of every log. */
  logs(lines: number): string;
}

export async function startSystem(options: SystemOptions = {}): Promise<System> {
  const folder = await mkdtemp(join(tmpdir(), 'reelstream-system-'));
  const engines: Engines | undefined = profile === 'cluster' ? await freshEngines() : undefined;
  const environment = {
    PATH: process.env['PATH'],
    HOME: process.env['HOME'],
    RATE_LIMIT_ENABLED: 'false',
    LOG_LEVEL: 'info',
    ...(engines === undefined ? {} : { ...engines.environment, ...secrets(), NODE_ENV: 'production' }),
    ...(typeof options.environment === 'function'
      ? await options.environment(engines?.environment ?? {})
      : options.environment),
  };
  const roles: Role[] =
    engines === undefined
      ? ['serve']
      : Array.from({ length: options.ofEach ?? 2 }, (): Role[] => ['api', 'projector', 'media', 'relay']).flat();
  const processes = await Promise.all(
    // In a cluster no two processes share a folder.
    roles.map((role, index) =>
      SystemProcess.create(role, index, folder, {
        ...environment,
        DATA_DIR: join(folder, engines === undefined ? 'data' : `data-${index}`),
        DATABASE_CONNECTIONS: CONNECTIONS[role],
      }),
    ),
  );
  const apis = processes.filter(({ role }) => role === 'serve' || role === 'api');
  let calls = 0;

  const system: System = {
    profile,
    apis: apis.map(({ url }) => url),
    api: () => apis[calls++ % apis.length]!.url,
    sockets: apis.map(({ socketUrl }) => socketUrl),
    processes,
    playing: (wanted) => processes.filter(({ role }) => role === 'serve' || role === wanted),
    logs: (lines) => processes.map((each) => `── ${each.role} ${each.url}\n${each.logTail(lines)}`).join('\n'),
    async [Symbol.asyncDispose]() {
      try {
        const codes = await Promise.all(processes.map((each) => (each.running ? each.end('SIGTERM') : 0)));
        const bad = processes.filter((_, index) => codes[index] !== 0);
        if (bad.length > 0)
          throw new Error(
            `SIGTERM did not end these with code 0:\n${bad.map((each) => `${each.role}\n${each.logTail(20)}`).join('\n')}`,
          );
      } finally {
        await Promise.all(processes.map((each) => (each.running ? each.end('SIGKILL') : null)));
        await stopPostmaster(folder);
        await engines?.[Symbol.asyncDispose]();
        await rm(folder, { recursive: true, force: true });
      }
    },
  };
  try {
    if (engines === undefined) await copyUsedDataFolder(join(folder, 'data'));
    await Promise.all(processes.map((each) => each.start()));
  } catch (error) {
    await Promise.resolve(system[Symbol.asyncDispose]()).catch(() => undefined);
    throw error;
  }
  return system;
}

function secrets(): Record<string, string> {
  const secret = (): string => randomBytes(32).toString('base64');
  return { JWT_SECRET: secret(), REFRESH_SECRET: secret(), DATA_KEY: secret() };
}

/** An embedded PostgreSQL outlives a SIGKILL of the process that started it. */
async function stopPostmaster(folder: string): Promise<void> {
  const files = await readdir(folder, { recursive: true }).catch(() => []);
  for (const file of files.filter((each) => each.endsWith('postmaster.pid'))) {
    const pid = Number(readFileSync(join(folder, file), 'utf8').split('\n')[0]);
    try {
      process.kill(pid, 'SIGINT');
    } catch {
      continue; // It had ended already.
    }
    await eventually(() => !alive(pid), { what: `PostgreSQL ${pid} has stopped` });
  }
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
