import type { Logger } from 'pino';
import type { App } from '../app/startApp.ts';
import { loadConfig, type Role } from '../config/config.ts';
import { createLog } from '../telemetry/log.ts';
import { expectNoArguments, type Command } from './command.ts';
import { stopSignals } from './stopSignals.ts';
import { welcome } from './welcome.ts';

/** On top of SHUTDOWN_SECONDS, for what is ended after requests and jobs: connections, the embedded PostgreSQL (ms). */
const CLOSING_MS = 20_000;

/** A process that runs until it is told to stop. */
export function roleCommand(role: Role, summary: string): Command {
  return {
    name: role,
    summary,
    async run(args) {
      expectNoArguments(role, args);
      const config = loadConfig(process.env, role);
      const log = createLog({ level: config.logLevel, role });
      endOnUnexpectedErrors(log);
      const signals = stopSignals();
      const told = new AbortController();
      const start = import('../app/startApp.ts').then(({ startApp }) => startApp(config, [role], log, told.signal));
      const app = await Promise.race([start, signals.first.then(() => undefined)]);
      if (app !== undefined) {
        log.info({ port: app.port, socketPort: app.socketPort, dataDir: config.dataDir }, 'ready');
        console.log(welcome(app, config));
      }
      const signal = await signals.first;
      log.info({ signal }, 'stopping');
      told.abort(new Error('told to stop while starting'));
      return ended(stop(start, told.signal), config.shutdownSeconds * 1_000 + CLOSING_MS, signals.second, log);
    },
  };
}

/** What has started, or, when it was told to stop before it had, what it takes back by itself. */
async function stop(start: Promise<App>, told: AbortSignal): Promise<void> {
  const app = await start.catch((error: unknown) => {
    if (error !== told.reason) throw error;
  });
  await app?.stop();
}

async function ended(
  stopping: Promise<void>,
  patienceMs: number,
  hurry: Promise<unknown>,
  log: Logger,
): Promise<number> {
  const timer = Promise.withResolvers<'late'>();
  const timeout = setTimeout(() => timer.resolve('late'), patienceMs);
  const outcome = await Promise.race([stopping, timer.promise, hurry.then(() => 'hurried' as const)]);
  clearTimeout(timeout);
  if (outcome === undefined) {
    log.info('stopped');
    return 0;
  }
  log.warn(outcome === 'late' ? 'not everything ended in time' : 'told twice to stop: not waiting any longer');
  return 1;
}

/** What nobody expected leaves a state that nobody has thought about; a new start from what is durable is the safe way on. */
function endOnUnexpectedErrors(log: Logger): void {
  process.on('uncaughtException', (error, origin) => {
    log.fatal({ err: error, origin }, 'ending after an unexpected error');
    process.exit(1);
  });
}
