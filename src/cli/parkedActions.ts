import { randomUUID } from 'node:crypto';
import { discardParkedEvent, discardReason, retryParkedEvent, type DiscardParts } from '../features/operators/index.ts';
import { createParkedEvents, type ParkedEvents } from '../projecting/parking/createParkedEvents.ts';
import type { ParkedEvent } from '../projecting/parking/parkedEvents.ts';
import type { Retried } from '../projecting/parking/parkedStream.ts';
import { UsageError } from './command.ts';
import { openLog, type OpenedLog } from './openLog.ts';
import { print, printJson, printTable, type Cell } from './output.ts';
import { checkName } from './projectionActions.ts';

const PAGE = 1_000;
type Listed = ParkedEvent & { readonly projection: string };

export async function list(signal: AbortSignal, name: string | undefined, json = false): Promise<number> {
  checkName(name);
  await using opened = await openLog('parked', signal);
  const chosen = name === undefined ? opened.readModels.map((each) => each.name) : [name];
  const { parked } = partsOf(opened);
  const events = (await Promise.all(chosen.map((projection) => listAll(parked, projection)))).flat();
  if (json) await printJson(events);
  else if (events.length === 0) await print('No events are parked.\n');
  else await printTable(['projection', 'position', 'stream', 'type', 'id', 'tries', 'error'], events.map(row));
  return 0;
}

export async function retry(signal: AbortSignal, name: string, id: string, json = false): Promise<number> {
  checkName(name);
  await using opened = await openLog('parked', signal);
  const retried = await retryParkedEvent(partsOf(opened), name, id);
  if (json) await printJson(retried);
  else await print(`${outcomeOf(retried)}\n`);
  return retried.failed === undefined ? 0 : 1;
}

export async function discard(
  signal: AbortSignal,
  name: string,
  id: string,
  given: string,
  json = false,
): Promise<number> {
  const { data: reason, error } = discardReason.safeParse(given);
  if (reason === undefined) throw new UsageError(`--reason ${error!.issues[0]!.message}.`);
  checkName(name);
  await using opened = await openLog('parked', signal);
  const context = { correlationId: randomUUID(), now: new Date() };
  const request = { name: name, id, reason };
  const { discard: recorded, retried } = await discardParkedEvent(partsOf(opened), request, context);
  if (json) await printJson({ discarded: recorded, ...retried });
  else await print(`${name} never applies the event ${id}: ${recorded.reason}\n${outcomeOf(retried)}\n`);
  return retried.failed === undefined ? 0 : 1;
}

function partsOf(opened: OpenedLog): DiscardParts & { readonly parked: ParkedEvents } {
  return { store: opened.decodedStore, parked: createParkedEvents({ ...opened, consumers: opened.readModels }) };
}

async function listAll(parked: Pick<ParkedEvents, 'list'>, projection: string): Promise<Listed[]> {
  const found: Listed[] = [];
  for (let after = 0n, more = true; more; after = found.at(-1)?.position ?? 0n) {
    const page = await parked.list(projection, { after, limit: PAGE });
    found.push(...page.events.map((event) => ({ projection, ...event })));
    ({ more } = page);
  }
  return found;
}

function row({ projection, position, stream, type, id, attempts, error, waitsFor }: Listed): Cell[] {
  return [projection, position, stream, type, id, attempts, waitsFor === null ? error : `waits for ${waitsFor}`];
}

function outcomeOf({ stream, applied, failed, parked }: Retried): string {
  const done = `${applied} parked event${applied === 1 ? '' : 's'} of ${stream} applied.`;
  if (failed === undefined) return done;
  return `${done} ${parked} still parked: ${failed.id} failed, after ${failed.attempts} tries: ${failed.error}`;
}
