import { ImportRefused } from '../core/eventImport.ts';
import { EventStoreUnavailable } from '../core/eventStore.ts';
import { StartError } from '../core/startError.ts';
import { BrokenLog, copyLog, type CopyProgress } from '../eventStore/copying/copyLog.ts';
import { UsageError } from './command.ts';
import { openLogAt } from './openLogAt.ts';
import { print, printJson } from './output.ts';
import { createProgressBar } from './progressBar.ts';

export interface CopyOptions {
  readonly from?: string;
  readonly to?: string;
  readonly json?: true;
}

export async function copy(signal: AbortSignal, { from, to, json }: CopyOptions): Promise<number> {
  if (from === undefined && to === undefined)
    throw new UsageError('--to or --from must be given. The one that is not given is the log of this system.');
  await using parts = new AsyncDisposableStack();
  const source = await openLogAt({ option: '--from', url: from, parts, signal });
  const target = await openLogAt({ option: '--to', url: to, parts, signal });
  const imported = await target.beginImport();
  using bar = createProgressBar();
  const rateOf = createRate();
  const copied = await copyLog({
    from: source,
    to: { ...target, imported },
    signal,
    onProgress: (progress) =>
      bar.show(progress.share, `${progress.events} ${words[progress.doing]}, ${rateOf(progress)}/s`),
  }).catch(forUser);
  bar[Symbol.dispose]();
  if (json) {
    await printJson(copied);
    return 0;
  }
  const { events, added, position, digest, isBehind } = copied;
  const lines = [
    `${events} events are in the target, ${added} of them new: all events of the source up to position ${position}.`,
    `Every event is as it was recorded, and in the same order. The digest of both logs is ${digest}.`,
  ];
  if (isBehind)
    lines.push('The source has recorded more events since. Run the same command again, and it copies the rest.');
  await print(`${lines.join('\n')}\n`);
  return 0;
}

const words: Readonly<Record<CopyProgress['doing'], string>> = {
  comparing: 'events are there already',
  copying: 'events copied',
  checking: 'events of the target checked',
};

/** Events a second, since the present part of the copy began. */
function createRate(): (progress: CopyProgress) => number {
  let began = { doing: 'comparing', at: performance.now(), events: 0 };
  let last = began;
  return ({ doing, events }) => {
    if (began.doing !== doing) began = { doing, at: last.at, events: doing === 'checking' ? 0 : last.events };
    last = { doing, at: performance.now(), events };
    return Math.round(((events - began.events) * 1_000) / Math.max(1, last.at - began.at));
  };
}

const AGAIN = 'Run the same command again: it goes on where it stopped.';

function forUser(error: unknown): never {
  if (error instanceof ImportRefused) throw new StartError(error.message, { cause: error });
  if (error instanceof EventStoreUnavailable)
    throw new StartError(`A log was lost during the copy (${error.message}). ${AGAIN}`, { cause: error });
  if (!(error instanceof BrokenLog)) throw error;
  const { position, stream, problem } = error.broken;
  const place = `position ${position}${stream === undefined ? '' : ' of the log'}`;
  const meaning =
    error.side === 'source'
      ? 'Nothing from there on was copied. See "events check".'
      : 'It must not be used. Empty it, and copy again.';
  throw new StartError(`The ${error.side} is broken at ${place}: ${problem} ${meaning}`, { cause: error });
}
