import { createLogId } from '../core/logId.ts';
import { projections } from '../features/index.ts';
import type { Consumer } from '../projecting/consumer.ts';
import * as rebuilding from '../projecting/rebuilding/rebuild.ts';
import type { TableComparison } from '../projecting/rebuilding/compareTables.ts';
import * as verifying from '../projecting/rebuilding/verify.ts';
import { consumerStatus, type ConsumerStatus } from '../projecting/status.ts';
import { UsageError } from './command.ts';
import { openLog, type OpenedLog } from './openLog.ts';
import { print, printJson, printTable } from './output.ts';
import { createProgressBar } from './progressBar.ts';

export async function list(signal: AbortSignal, json = false): Promise<number> {
  await using opened = await openLog('projections', signal);
  const statuses = [];
  for (const consumer of opened.readModels) statuses.push(await consumerStatus(opened, consumer));
  if (json) await printJson(statuses);
  else await printTable(['name', 'version', 'position', 'head', 'lag', 'parked', ''], statuses.map(row));
  return 0;
}

export async function rebuild(signal: AbortSignal, name: string): Promise<number> {
  checkName(name);
  await using opened = await openLog('projections', signal);
  for (const consumer of named(opened, name)) await rebuildOne(opened, consumer, signal);
  await print(`${name} is rebuilt.\n`);
  return 0;
}

export async function verify(signal: AbortSignal, name: string | undefined, json = false): Promise<number> {
  checkName(name);
  await using opened = await openLog('projections', signal);
  const found: verifying.Verification[] = [];
  for (const consumer of named(opened, name)) {
    const verification = await verifyOne(opened, consumer, signal);
    found.push(verification);
    if (!json) await print(`${verdict(verification)}\n`);
  }
  if (json) await printJson(found);
  return found.every(({ identical }) => identical) ? 0 : 1;
}

export function checkName(name: string | undefined): void {
  const names = projections.map((each) => each.name);
  if (name !== undefined && !names.includes(name))
    throw new UsageError(`There is no projection "${name}". The projections are ${names.join(', ')}.`);
}

/** All without a name. */
function named({ readModels }: OpenedLog, name: string | undefined): Consumer[] {
  return readModels.filter((each) => name === undefined || each.name === name);
}

async function rebuildOne(opened: OpenedLog, consumer: Consumer, signal: AbortSignal): Promise<void> {
  using bar = createProgressBar();
  await rebuilding.rebuild({
    ...opened,
    consumer,
    signal,
    schema: consumer.name,
    logId: createLogId(opened.store),
    onProgress: ({ position, head, rate, timeLeft }) =>
      bar.show(
        shareOf(position, head),
        `${consumer.name}, ${Math.round(rate)} positions/s${timeLeft === undefined ? '' : `, ${Math.ceil(timeLeft)} s left`}`,
      ),
  });
}

async function verifyOne(opened: OpenedLog, consumer: Consumer, signal: AbortSignal): Promise<verifying.Verification> {
  using bar = createProgressBar();
  return await verifying.verify({
    ...opened,
    consumer,
    signal,
    schema: consumer.name,
    logId: createLogId(opened.store),
    onProgress: ({ position, until }) =>
      bar.show(shareOf(position, until), `${consumer.name}, replayed ${position} of ${until}`),
  });
}

function row(status: ConsumerStatus): (string | number | bigint)[] {
  const { name, version, declaredVersion, position, head, lagEvents, lagSeconds, parkedEvents } = status;
  const state =
    status.rebuild !== undefined
      ? `rebuilding, at ${status.rebuild.position}`
      : version === declaredVersion
        ? ''
        : `version ${declaredVersion} at the next start`;
  const lag = lagEvents === 0 ? '0' : `${lagEvents} events, ${Math.round(lagSeconds)} s`;
  return [name, version ?? '-', position, head, lag, parkedEvents, state];
}

function shareOf(position: bigint, end: bigint): number {
  return end === 0n ? 1 : Number(position) / Number(end);
}

function verdict({ projection, position, identical, tables }: verifying.Verification): string {
  if (identical) {
    const counts = tables.map(({ table, rows, hash }) => `  ${table}: ${rows} rows, hash ${hash}`);
    return `${projection} is identical with the log up to position ${position}:\n${counts.join('\n')}`;
  }
  const drifted = tables.filter(({ differing }) => differing > 0).map(tableDrift);
  return `${projection} differs from the log at position ${position}:\n${drifted.join('\n')}\n  "projections rebuild ${projection}" fixes this.`;
}

function tableDrift({ table, differing, drift }: TableComparison): string {
  const rows = drift.map(
    ({ key, live, replayed }) =>
      `    ${JSON.stringify(key)}: live ${JSON.stringify(live)}, replayed ${JSON.stringify(replayed)}`,
  );
  const more = differing > drift.length ? [`    and ${differing - drift.length} more`] : [];
  return [`  ${table}: ${differing} rows`, ...rows, ...more].join('\n');
}
