import { createLogId } from '../core/logId.ts';
import { projectionView } from '../features/operators/index.ts';
import { projections } from '../features/index.ts';
import type { Consumer } from '../projecting/consumer.ts';
import { namedVariant } from '../projecting/rebuilding/rollback.ts';
import type { TableComparison } from '../projecting/rebuilding/compareTables.ts';
import * as verifying from '../projecting/rebuilding/verify.ts';
import { isOpen } from '../projecting/operations/operation.ts';
import { createOperations, type Operations } from '../projecting/operations/operations.ts';
import type { ProjectionOverview } from '../projecting/operations/overview.ts';
import { UsageError } from './command.ts';
import { openLog, type OpenedLog } from './openLog.ts';
import { print, printJson, printTable, type Cell } from './output.ts';
import { createProgressBar } from './progressBar.ts';

export async function list(signal: AbortSignal, json = false): Promise<number> {
  await using opened = await openLog('projections', signal);
  const found = await operationsOf(opened).list();
  if (json) await printJson(found.map(projectionView));
  else await printTable(['name', 'version', 'position', 'head', 'lag', 'parked', 'state'], found.map(row));
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

export function operationsOf(opened: OpenedLog): Operations {
  return createOperations({
    ...opened,
    consumers: opened.readModels,
    logId: createLogId(opened.store),
    keepHours: opened.config.rebuildKeepHours,
  });
}

/** All without a name. */
function named({ readModels }: OpenedLog, name: string | undefined): Consumer[] {
  return readModels.filter((each) => name === undefined || each.name === name);
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

function row(overview: ProjectionOverview): Cell[] {
  const { name, version, position, head, lagEvents, lagSeconds, parkedEvents } = overview;
  const lag = lagEvents === 0 ? '0' : `${lagEvents} events, ${Math.round(lagSeconds)} s`;
  return [name, version ?? '-', position, head, lag, parkedEvents, stateOf(overview)];
}

function stateOf(overview: ProjectionOverview): string {
  const { state, rebuild, kept, lastRebuild, declaredVersion, version, declaredVariant, variant } = overview;
  if (rebuild !== undefined) return `rebuilding, at ${rebuild.position}`;
  if (lastRebuild !== undefined && isOpen(lastRebuild)) return `rebuild ${lastRebuild.state}`;
  if (version === undefined || version < declaredVersion) return `version ${declaredVersion} at the next start`;
  if (version === declaredVersion && variant !== undefined && variant !== declaredVariant)
    return `made under other settings (${namedVariant(variant)})`;
  return kept === undefined ? state : `${state}, older tables until ${kept.until.toISOString()}`;
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
