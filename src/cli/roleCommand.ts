import { Command, type CommandUnknownOpts } from '@commander-js/extra-typings';
import type { Logger } from 'pino';
import type { App } from '../app/startApp.ts';
import { loadConfig, type Config, type Role } from '../config/config.ts';
import { withTimeout } from '../core/withTimeout.ts';
import type { TracedClient } from '../telemetry/instrumentations.ts';
import { createLogger, loggerOutput } from '../telemetry/logger.ts';
import { startTracing } from '../telemetry/tracing.ts';
import { example } from './command.ts';
import { stopSignals } from './stopSignals.ts';
import { welcome } from './welcome.ts';

/** Time in addition to SHUTDOWN_SECONDS, to close connections and the embedded PostgreSQL (ms). */
const CLOSING_MS = 20_000;

/** A command that runs until the process receives a stop signal. */
export function roleCommand(role: Role, summary: string): CommandUnknownOpts {
  return new Command(role)
    .description(summary)
    .addHelpText('after', example(role))
    .action(async () => {
      process.exitCode = await runRole(role);
    });
}

async function runRole(role: Role): Promise<number> {
  const config = loadConfig(process.env, role);
  const logger = createLogger({ level: config.logLevel, role, destination: await loggerOutput(config.logFormat) });
  endOnUnexpectedErrors(logger);
  const signals = stopSignals();
  const startAbort = new AbortController();
  // Before the modules that import the traced libraries.
  const tracing = startTracing({ enabled: config.traces, service: `reelstream-${role}`, clients: clientsOf(config) });
  const start = tracing.then(async (started) => {
    const { startApp } = await import('../app/startApp.ts');
    return startApp(config, [role], logger, startAbort.signal, started);
  });
  const app = await Promise.race([start, signals.first.then(() => undefined)]);
  if (app !== undefined) {
    logger.info({ port: app.port, socketPort: app.socketPort, dataDir: config.dataDir }, 'ready');
    console.log(welcome(app, config));
  }
  const signal = await signals.first;
  logger.info({ signal }, 'stopping');
  startAbort.abort(new Error('stopped while starting'));
  const timeoutMs = config.shutdownSeconds * 1_000 + CLOSING_MS;
  return exitCode(stop(start, startAbort.signal), timeoutMs, signals.second, logger);
}

/** The libraries that a process with these settings uses. */
function clientsOf({ redisUrl, eventStoreUrl, minio }: Config): TracedClient[] {
  return [
    'pg',
    ...(redisUrl === undefined ? [] : (['ioredis'] as const)),
    ...(eventStoreUrl === undefined ? [] : (['grpc'] as const)),
    ...(minio === undefined ? [] : (['http'] as const)),
  ];
}

/** A start that is aborted stops what it has started by itself. */
async function stop(start: Promise<App>, startAborted: AbortSignal): Promise<void> {
  const app = await start.catch((error: unknown) => {
    if (error !== startAborted.reason) throw error;
  });
  await app?.stop();
}

async function exitCode(
  stopping: Promise<void>,
  timeoutMs: number,
  secondSignal: Promise<unknown>,
  logger: Logger,
): Promise<number> {
  const stoppedOrToldAgain = Promise.race([stopping, secondSignal.then(() => 'second' as const)]);
  const outcome = await withTimeout(stoppedOrToldAgain, timeoutMs, () => 'late' as const);
  if (outcome === undefined) {
    logger.info('stopped');
    return 0;
  }
  logger.warn(
    outcome === 'late'
      ? 'exiting before everything has stopped: the time is over'
      : 'exiting before everything has stopped: a second stop signal arrived',
  );
  return 1;
}

/** After an unexpected error the state in memory may be wrong. A new start from durable data is safe. */
function endOnUnexpectedErrors(logger: Logger): void {
  process.on('uncaughtException', (error, origin) => {
    logger.fatal({ err: error, origin }, 'exiting after an unexpected error');
    process.exit(1);
  });
}
