import type { EventLog } from '../app/eventLog.ts';
import { beginDatabase } from '../app/beginDatabase.ts';
import { loadConfig, type Config } from '../config/config.ts';
import { beginDataKey, endEarlierDataKeys, removeDataKey, replaceSecret } from '../config/rotateSecrets.ts';
import { pathIn } from '../config/secrets.ts';
import { readSecretsFile, type SecretName } from '../config/secretsFile.ts';
import { pause } from '../core/abortable.ts';
import { StartError } from '../core/startError.ts';
import { markOf } from '../postgres/masterKeys.ts';
import { migrate } from '../postgres/migrate.ts';
import { createPool } from '../postgres/pool.ts';
import { processesWithout } from '../postgres/processes.ts';
import { masterKeyUse, rotateMasterKey, type MasterKeyUse } from '../postgres/rotateMasterKey.ts';
import { createLogger } from '../telemetry/logger.ts';
import { UsageError } from './command.ts';
import { print, printJson, printTable } from './output.ts';
import { createProgressBar } from './progressBar.ts';

type Which = 'jwt' | 'refresh' | 'data' | 'all';

const NAMES: Readonly<Record<Which, readonly SecretName[]>> = {
  jwt: ['JWT_SECRET'],
  refresh: ['REFRESH_SECRET'],
  data: ['DATA_KEY'],
  all: ['JWT_SECRET', 'REFRESH_SECRET', 'DATA_KEY'],
};
/** Another process may issue a token with the earlier secret for a second, and clocks differ. */
const SLACK_SECONDS = 60;
/** Addresses of private files that DATA_KEY signed work for an hour (`signedPaths.ts`). */
const SIGNED_SECONDS = 3_600;
/** A process that was lost counts as alive for 15 s. */
const OTHERS_WAIT_MS = 20_000;

interface Rotated {
  readonly secret: SecretName;
  /** Undefined: it is no longer accepted. */
  readonly earlierAcceptedUntil: Date | undefined;
  /** How many keys of users this call encrypted. */
  readonly users?: number;
}

export async function rotate(
  signal: AbortSignal,
  which: Which,
  { atOnce = false, json = false }: { readonly atOnce?: boolean | undefined; readonly json?: boolean | undefined },
): Promise<number> {
  if (atOnce && which !== 'jwt' && which !== 'refresh')
    throw new UsageError(
      '--at-once is for jwt and refresh: users’ keys must stay readable until they are encrypted anew.',
    );
  const config = loadConfig(process.env);
  const names = NAMES[which];
  const ofVariables = names.filter((name) => name !== 'DATA_KEY' && !config.secrets.kept.includes(name));
  if (ofVariables.length > 0)
    throw new StartError(
      `${ofVariables.join(' and ')} ${ofVariables.length > 1 ? 'are' : 'is'} set by a variable, which this command cannot change. "keys rotate --help" says how to replace it.`,
    );
  const rotated: Rotated[] = [];
  // The longest comes first: when it fails, nothing was changed.
  if (names.includes('DATA_KEY')) rotated.push(await rotateDataKey(signal, config));
  for (const name of names) if (name !== 'DATA_KEY') rotated.push(await replace(config, name, atOnce));
  if (json) await printJson(rotated);
  else for (const each of rotated) await print(`${sentenceOf(each, config)}\n`);
  return 0;
}

export async function list(signal: AbortSignal, json = false): Promise<number> {
  const config = loadConfig(process.env);
  const { secrets, dataDir } = config;
  await using opened = await openPool(signal, config);
  const use = await masterKeyUse(opened.pool);
  const file = readSecretsFile(pathIn(dataDir));
  const rings = { JWT_SECRET: secrets.jwt, REFRESH_SECRET: secrets.refresh, DATA_KEY: secrets.dataKey };
  const rows = NAMES.all.map((name) => {
    const ends = (file.EARLIER ?? []).filter((each) => each.name === name).map(({ until }) => until);
    return {
      secret: name,
      keptIn: secrets.kept.includes(name) ? pathIn(dataDir) : 'a variable',
      earlierAccepted: rings[name].keys().length - 1,
      until: ends.includes(undefined) ? undefined : ends.toSorted().at(-1),
    };
  });
  if (json) await printJson({ secrets: rows, masterKey: use });
  else {
    await printTable(
      ['secret', 'kept in', 'earlier ones accepted', 'until'],
      rows.map((row) => [row.secret, row.keptIn, row.earlierAccepted, row.until]),
    );
    if (use !== undefined) await print(`\n${useSentence(use)}\n`);
  }
  return 0;
}

async function replace(
  { dataDir, accessTokenSeconds, refreshTokenSeconds }: Config,
  name: Exclude<SecretName, 'DATA_KEY'>,
  atOnce: boolean,
): Promise<Rotated> {
  const until = atOnce ? undefined : inSeconds(name === 'JWT_SECRET' ? accessTokenSeconds : refreshTokenSeconds);
  await replaceSecret(dataDir, name, until ?? 'refused');
  return { secret: name, earlierAcceptedUntil: until };
}

async function rotateDataKey(signal: AbortSignal, config: Config): Promise<Rotated> {
  const { secrets, dataDir } = config;
  const isKept = secrets.kept.includes('DATA_KEY');
  await using opened = await openPool(signal, config);
  const { pool } = opened;
  // The file has the new key before the database needs it.
  if (isKept) await beginDataKey(dataDir);
  secrets.dataKey.refresh();
  const before = await masterKeyUse(pool);
  if (!isKept) await untilOthersKnow(signal, pool, secrets.dataKey.keys()[0]!);
  using bar = createProgressBar();
  const users = await rotateMasterKey({
    pool,
    ring: secrets.dataKey,
    signal,
    onProgress: (done, total) =>
      bar.show(total === 0 ? 1 : done / total, `${done} of ${total} keys of users encrypted`),
  });
  const after = await masterKeyUse(pool);
  if (!isKept && users === 0 && before?.number === after?.number)
    throw new StartError(
      'DATA_KEY is the master key of this database, and encrypts the keys of all users. "keys rotate --help" says how to replace it.',
    );
  const until = inSeconds(SIGNED_SECONDS);
  await endEarlierDataKeys(dataDir, until);
  if (!isKept && readSecretsFile(pathIn(dataDir)).DATA_KEY !== undefined) await removeDataKey(dataDir);
  return { secret: 'DATA_KEY', earlierAcceptedUntil: until, users };
}

/** A process without the new key could read no user's key that is encrypted with it. */
async function untilOthersKnow(signal: AbortSignal, pool: EventLog['pool'], key: Buffer): Promise<void> {
  for (const deadline = Date.now() + OTHERS_WAIT_MS; ; await pause(500, signal)) {
    signal.throwIfAborted();
    const others = await processesWithout(pool, markOf(key));
    if (others.length === 0) return;
    if (Date.now() > deadline)
      throw new StartError(
        `These processes do not know the new DATA_KEY: ${others.map(({ role, pid, host }) => `${role} ${pid} on ${host}`).join(', ')}. Set DATA_KEY, or DATA_KEY_ACCEPTED, there and restart them; then run this again.`,
      );
  }
}

/** The database of the settings, also beside a running ReelStream. */
async function openPool(
  signal: AbortSignal,
  config: Config,
): Promise<AsyncDisposable & { readonly pool: EventLog['pool'] }> {
  await using parts = new AsyncDisposableStack();
  const level = config.logLevel === 'info' ? 'warn' : config.logLevel;
  const logger = createLogger({ level, role: 'keys', destination: process.stderr });
  const { url } = await beginDatabase({ config, logger, parts, signal, shared: true });
  const pool = createPool({ connectionString: url, name: 'keys', max: 2 });
  parts.defer(() => pool.end());
  await migrate(pool);
  const opened = parts.move();
  return { pool, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

function inSeconds(seconds: number): Date {
  return new Date(Date.now() + (seconds + SLACK_SECONDS) * 1_000);
}

function sentenceOf({ secret, earlierAcceptedUntil: until, users }: Rotated, config: Config): string {
  if (users !== undefined) {
    const next = config.secrets.kept.includes(secret)
      ? `The earlier one is removed at ${until?.toISOString()}, when the addresses of private files that it signed have ended.`
      : `Remove DATA_KEY_ACCEPTED from every process after ${until?.toISOString()}, when the addresses of private files that it signed have ended.`;
    return `DATA_KEY is replaced: the keys of all users are encrypted with the new one (${users} by this command). ${next}`;
  }
  const earlier =
    until === undefined
      ? 'What the earlier ones signed is refused.'
      : `The earlier one is accepted until ${until.toISOString()}.`;
  return `${secret} is replaced; a running ReelStream uses the new one within a second. ${earlier}`;
}

function useSentence({ number, since, users, usersOfEarlier, complete }: MasterKeyUse): string {
  const rest = complete ? '' : `, and an earlier one those of ${usersOfEarlier}: complete this with "keys rotate data"`;
  return `DATA_KEY is the master key number ${number} of the database, since ${since.toISOString()}. It encrypts the keys of ${users} users${rest}.`;
}
