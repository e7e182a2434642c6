import pLimit from 'p-limit';
import { createLogId } from '../core/logId.ts';
import { isOpen, type Operation, type OperationKind } from '../projecting/operations/operation.ts';
import type { Operations } from '../projecting/operations/operations.ts';
import { createOperationsRunner, type OperationsRunner } from '../projecting/operations/operationsRunner.ts';
import { openLog, type OpenedLog } from './openLog.ts';
import { print, printJson } from './output.ts';
import { createProgressBar } from './progressBar.ts';
import { checkName, operationsOf } from './projectionActions.ts';

const ASKED_BY = 'command line';
const SHOW_EVERY_MS = 500;
/** How long a process that runs a rebuild may take to end it. */
const CANCEL_WAIT_MS = 10_000;

export async function rebuild(signal: AbortSignal, name: string, json = false): Promise<number> {
  return await carryOut('rebuild', `${name} is rebuilt.`, signal, name, json);
}

export async function rollBack(signal: AbortSignal, name: string, json = false): Promise<number> {
  return await carryOut(
    'rollback',
    `The tables of ${name} before the last rebuild are live again.`,
    signal,
    name,
    json,
  );
}

export async function cancel(signal: AbortSignal, name: string, json = false): Promise<number> {
  checkName(name);
  await using opened = await openLog('projections', signal);
  const operations = operationsOf(opened);
  const asked = await operations.cancelRebuild(name);
  const runner = runnerOf(opened, asked);
  runner.start();
  const found = await operations.untilClosed(asked, { timeoutMs: CANCEL_WAIT_MS, signal }).finally(() => runner.stop());
  const outcome = isOpen(found)
    ? `The rebuild of ${name} will be cancelled when a process with the role projector runs.`
    : `The rebuild of ${name} is ${found.state}.`;
  if (json) await printJson(found);
  else await print(`${outcome}\n`);
  return isOpen(found) || found.state === 'cancelled' ? 0 : 1;
}

/** In this process, unless one with the role projector is faster. */
async function carryOut(
  kind: OperationKind,
  done: string,
  signal: AbortSignal,
  name: string,
  json: boolean,
): Promise<number> {
  checkName(name);
  await using opened = await openLog('projections', signal);
  const operations = operationsOf(opened);
  const asked = await operations.ask(kind, name, ASKED_BY);
  const runner = runnerOf(opened, asked);
  runner.start();
  const ended = await follow(operations, asked, signal).finally(() => runner.stop());
  if (json) await printJson(ended);
  if (ended.state === 'done') {
    if (!json) await print(`${done}\n`);
    return 0;
  }
  console.error(ended.state === 'cancelled' ? `The ${kind} of ${name} was cancelled.` : ended.error);
  return 1;
}

/** Does it in this process, if no other one does. */
function runnerOf(opened: OpenedLog, { id }: Operation): OperationsRunner {
  return createOperationsRunner({
    ...opened,
    logId: createLogId(opened.store),
    consumers: opened.readModels,
    rebuilds: pLimit(1),
    keepHours: opened.config.rebuildKeepHours,
    only: id,
  });
}

async function follow(operations: Operations, asked: Operation, signal: AbortSignal): Promise<Operation> {
  const { kind, projection } = asked;
  using bar = createProgressBar();
  let found = asked;
  while (isOpen(found)) {
    found = await operations.untilClosed(found, { timeoutMs: SHOW_EVERY_MS, signal });
    if (signal.aborted && isOpen(found))
      console.error(
        `The ${kind} of ${projection} stays open: a process with the role projector continues it.` +
          (kind === 'rebuild' ? ` "projections cancel ${projection}" ends it.` : ''),
      );
    signal.throwIfAborted();
    const { progress } = found;
    if (progress === null) continue;
    const share = progress.head === '0' ? 1 : Number(progress.position) / Number(progress.head);
    const left = progress.secondsLeft === undefined ? '' : `, ${progress.secondsLeft} s left`;
    bar.show(share, `${projection}, ${progress.rate ?? 0} positions/s${left}`);
  }
  return found;
}
