import { projections } from '../features/index.ts';
import { projectionConsumer, type Consumer } from '../projecting/consumer.ts';
import { createLogId } from '../core/logId.ts';
import { rebuild } from '../projecting/rebuilding/rebuild.ts';
import { consumerStatus } from '../projecting/status.ts';
import { verify, type Verification } from '../projecting/rebuilding/verify.ts';
import { UsageError, type Command } from './command.ts';
import { openLog, type OpenedLog } from './openLog.ts';
import { createProgressBar } from './progressBar.ts';

export const projectionsCommand: Command = {
  name: 'projections',
  parameters: 'list | rebuild <name> | verify [name]',
  summary: 'shows, rebuilds and checks the read models, also while the system runs',
  async run([action, name, ...rest]) {
    if (rest.length > 0) throw new UsageError(`"projections ${action}" does not accept the argument "${rest[0]}".`);
    const chosen = choose(action, name);
    await using opened = await openLog('projections');
    if (action === 'list') return await list(opened, chosen);
    let drifted = 0;
    for (const consumer of chosen) {
      if (action === 'rebuild') await rebuildOne(opened, consumer);
      else drifted += await verifyOne(opened, consumer);
    }
    return drifted === 0 ? 0 : 1;
  },
};

function choose(action: string | undefined, name: string | undefined): Consumer[] {
  const all = projections.map(projectionConsumer);
  const names = all.map((each) => each.name).join(', ');
  if (action !== 'list' && action !== 'rebuild' && action !== 'verify')
    throw new UsageError('Name an action for projections: list, rebuild <name>, or verify [name].');
  if (name === undefined && action === 'rebuild') throw new UsageError(`Name the projection to rebuild: ${names}.`);
  const chosen = all.filter((each) => name === undefined || each.name === name);
  if (chosen.length === 0) throw new UsageError(`There is no projection "${name}". The projections are ${names}.`);
  return chosen;
}

async function rebuildOne(opened: OpenedLog, consumer: Consumer): Promise<void> {
  const bar = createProgressBar(process.stderr);
  await rebuild({
    ...opened,
    logger: opened.logger,
    consumer,
    schema: consumer.name,
    logId: createLogId(opened.store),
    onProgress: ({ position, head, rate, timeLeft }) =>
      bar.show(
        shareOf(position, head),
        `${consumer.name}, ${Math.round(rate)} positions/s${timeLeft === undefined ? '' : `, ${Math.ceil(timeLeft)} s left`}`,
      ),
  });
  bar.end();
  console.log(`${consumer.name} is rebuilt.`);
}

/** Returns how many tables differ. */
async function verifyOne(opened: OpenedLog, consumer: Consumer): Promise<number> {
  const bar = createProgressBar(process.stderr);
  const found = await verify({
    ...opened,
    consumer,
    schema: consumer.name,
    logId: createLogId(opened.store),
    onProgress: ({ position, until }) =>
      bar.show(shareOf(position, until), `${consumer.name}, replayed ${position} of ${until}`),
  });
  bar.end();
  console.log(verdict(found));
  return found.drift.length;
}

async function list({ pool, store }: OpenedLog, consumers: readonly Consumer[]): Promise<number> {
  const rows = [['name', 'version', 'position', 'head', 'lag', 'parked', '']];
  for (const consumer of consumers) {
    const {
      name,
      version,
      declaredVersion,
      position,
      head,
      lagEvents,
      lagSeconds,
      parkedEvents,
      rebuild: building,
    } = await consumerStatus({ pool, store }, consumer);
    const state =
      building !== undefined
        ? `rebuilding, at ${building.position}`
        : version === declaredVersion
          ? ''
          : `version ${declaredVersion} at the next start`;
    const lag = lagEvents === 0 ? '0' : `${lagEvents} events, ${Math.round(lagSeconds)} s`;
    rows.push([name, String(version ?? '-'), String(position), String(head), lag, String(parkedEvents), state]);
  }
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  for (const row of rows)
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    );
  return 0;
}

function shareOf(position: bigint, end: bigint): number {
  return end === 0n ? 1 : Number(position) / Number(end);
}

function verdict({ projection, position, rows, drift }: Verification): string {
  if (drift.length === 0) return `${projection}: all ${rows} rows match the log up to position ${position}.`;
  const tables = drift.map(
    ({ table, rows: differing, keys }) =>
      `  ${table}: ${differing} rows; ${keys.map(({ key, found }) => `${JSON.stringify(key)} ${found}`).join(', ')}`,
  );
  return `${projection} differs from the log at position ${position}:\n${tables.join('\n')}\n  "projections rebuild ${projection}" fixes this.`;
}
