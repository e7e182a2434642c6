import { readFile } from 'node:fs/promises';
import type { Config } from '../config/config.ts';
import { makeSealKey, readSealKey } from '../config/sealKey.ts';
import type { EventStore } from '../core/eventStore.ts';
import { StartError } from '../core/startError.ts';
import { checkLog, checkStream, type Break, type CheckedLog } from '../eventStore/integrity/checkLog.ts';
import { isSignedBy, makeSeal, parseSeal, publicKeyOf, type Seal } from '../eventStore/integrity/seal.ts';
import { UsageError } from './command.ts';
import { openFileOutput, standardOutput } from './linesOutput.ts';
import { openLogWithoutKeys } from './openLog.ts';
import { print, printJson, withoutControls } from './output.ts';
import { createProgressBar } from './progressBar.ts';

export interface CheckOptions {
  readonly from?: string;
  readonly stream?: string;
  readonly seal?: string;
  readonly publicKey?: string;
  readonly json?: true;
}

export interface SealOptions {
  readonly out?: string;
}

export async function check(signal: AbortSignal, options: CheckOptions): Promise<number> {
  const { from, stream, seal: sealFile, json } = options;
  if (sealFile !== undefined && (from !== undefined || stream !== undefined))
    throw new UsageError('--seal needs the whole log, and cannot be combined with --from or --stream.');
  if (stream !== undefined && from !== undefined)
    throw new UsageError('--stream checks the whole stream, without --from.');
  const sealed = sealFile === undefined ? undefined : await readSeal(sealFile);
  await using opened = await openLogWithoutKeys('events', signal);
  const { store, config } = opened;
  if (sealed !== undefined) checkSignature(sealed, options.publicKey ?? ownPublicKey(config));
  if (stream !== undefined) return report(await checkOne(store, stream, signal), { json });
  const head = await store.head();
  const after = from === undefined ? 0n : positionBefore(from, head);
  const checked = await withProgress({ store, config, signal, after, until: head, sealed });
  return report(checked, { json, sealed });
}

export async function seal(signal: AbortSignal, { out }: SealOptions): Promise<number> {
  await using opened = await openLogWithoutKeys('events', signal);
  const { store, config } = opened;
  const checked = await withProgress({ store, config, signal, after: 0n, until: await store.head() });
  if (checked.broken !== undefined) {
    console.error(`${brokenAt(checked.broken)} It was not sealed.`);
    return 1;
  }
  const { firstId, position, events, digest } = checked;
  if (firstId === undefined) {
    console.error('The log is empty: there is nothing to seal.');
    return 1;
  }
  const head = { log: firstId, position: String(position), time: new Date().toISOString(), events, digest };
  const made = makeSeal(head, config.sealKey ?? makeSealKey(config.dataDir));
  await using output = out === undefined ? standardOutput() : await openFileOutput(out);
  await output.write(`${JSON.stringify(made, undefined, 2)}\n`);
  await output.complete();
  console.error(
    `Sealed ${events} events, up to position ${position}. Give the seal to others, and tell them the public key ${made.publicKey} in another way.`,
  );
  return 0;
}

async function readSeal(path: string): Promise<Seal> {
  const text = await readFile(path, 'utf8').catch((cause: Error) => {
    throw new StartError(`${path} cannot be read: ${cause.message}.`, { cause });
  });
  const sealed = parseSeal(text);
  if (sealed === undefined) throw new UsageError(`${path} is not a seal as "events seal" writes it.`);
  return sealed;
}

function ownPublicKey({ sealKey, dataDir }: Config): string {
  const seed = sealKey ?? readSealKey(dataDir);
  if (seed === undefined)
    throw new UsageError('No seal was made here, so --public-key must be given: "events seal" printed it.');
  return publicKeyOf(seed);
}

function checkSignature(sealed: Seal, publicKey: string): void {
  if (!/^[\w-]{43}$/.test(publicKey)) throw new UsageError('--public-key must be the text that "events seal" printed.');
  if (isSignedBy(sealed, publicKey)) return;
  throw new StartError(
    sealed.publicKey === publicKey
      ? 'The seal was changed after it was signed.'
      : `The seal was not signed by the owner of the public key ${publicKey}.`,
  );
}

function positionBefore(text: string, head: bigint): bigint {
  const position = /^\d{1,19}$/.test(text) ? BigInt(text) : 0n;
  if (position >= 1n && position <= head) return position - 1n;
  throw new UsageError(`--from must be a position of the log, which ends at ${head}.`);
}

async function checkOne(
  store: EventStore,
  stream: string,
  signal: AbortSignal,
): Promise<Awaited<ReturnType<typeof checkStream>>> {
  const checked = await checkStream(store, stream, signal);
  if (checked.events === 0 && checked.broken === undefined)
    throw new StartError(`There is no stream ${JSON.stringify(stream)}.`);
  return checked;
}

interface Checking {
  readonly store: EventStore;
  readonly config: Config;
  readonly signal: AbortSignal;
  readonly after: bigint;
  readonly until: bigint;
  readonly sealed?: Seal | undefined;
}

async function withProgress({ store, config, signal, after, until, sealed }: Checking): Promise<CheckedLog> {
  using bar = createProgressBar();
  return await checkLog({
    store,
    after,
    until,
    gapless: config.eventStoreUrl === undefined,
    ...(sealed && { sealed }),
    signal,
    onProgress: ({ events, position }) =>
      bar.show(Number(position - after) / Number(until - after), `${events} events, position ${position} of ${until}`),
  });
}

type Report = Pick<CheckedLog, 'events' | 'withoutHash' | 'withoutTime' | 'erased' | 'broken'> &
  Partial<Pick<CheckedLog, 'position' | 'lastWithoutHash'>>;

async function report(
  { events, position, withoutHash, lastWithoutHash, withoutTime, erased, broken }: Report,
  { json, sealed }: { readonly json?: true | undefined; readonly sealed?: Seal | undefined },
): Promise<number> {
  if (json) {
    const fits = sealed && { time: sealed.time, events: sealed.events, position: sealed.position };
    await printJson({
      events,
      position,
      withoutHash,
      lastWithoutHash,
      withoutTime,
      erased,
      broken: broken ?? null,
      seal: fits,
    });
    return broken === undefined ? 0 : 1;
  }
  const upTo = position === undefined ? '' : `, up to position ${position}`;
  const lines = [`${events} events checked${upTo}.`];
  if (withoutHash > 0) {
    const last = lastWithoutHash === undefined ? '' : `, the last at position ${lastWithoutHash}`;
    lines.push(`${withoutHash} of them were recorded before events had hashes${last}: only a seal protects them.`);
  }
  if (withoutTime > 0)
    lines.push(`The times of ${withoutTime} of them are not in their hashes: only a seal protects these times.`);
  if (erased > 0)
    lines.push(
      `${erased} of them have lost a text of a user who is forgotten. The rest of them is as it was recorded.`,
    );
  if (broken !== undefined) lines.push(brokenAt(broken));
  else if (sealed === undefined) lines.push('Every event is as it was recorded.');
  else
    lines.push(`Every event is as it was recorded, and the first ${sealed.events} are those sealed at ${sealed.time}.`);
  await print(`${lines.join('\n')}\n`);
  return broken === undefined ? 0 : 1;
}

function brokenAt({ position, stream, revision, problem }: Break): string {
  const place = stream === undefined ? '' : `, stream ${withoutControls(stream)}, revision ${revision}`;
  return `The log is broken at position ${position}${place}: ${problem}`;
}
