import type { LogEvent } from './logEvents.ts';

/** What one request has caused: the command, its events, the jobs that they led to, and the events of these. */
export interface Cause {
  readonly kind: 'command' | 'job' | 'event';
  /** Who gave the command, or which worker ran the job. */
  readonly actor?: string | undefined;
  readonly event?: LogEvent;
  readonly effects: readonly Cause[];
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The tree by `causationId`. An event that a worker appended is below the job that it did. */
export function causesOf(events: readonly LogEvent[]): Cause {
  const known = new Set(events.map(({ id }) => id));
  const byCause = Map.groupBy(events, ({ metadata: { causationId } }) =>
    causationId !== undefined && known.has(causationId) ? causationId : 'command',
  );
  const below = (cause: string): Cause[] => {
    const effects = byCause.get(cause) ?? [];
    const byJob = Map.groupBy(effects, ({ metadata: { actor } }) => (isWorker(actor) ? actor! : ''));
    return [...byJob].flatMap(([actor, caused]) => {
      const nodes = caused.map((event): Cause => ({ kind: 'event', event, effects: below(event.id) }));
      return actor === '' || cause === 'command' ? nodes : [{ kind: 'job', actor, effects: nodes } satisfies Cause];
    });
  };
  return { kind: 'command', actor: byCause.get('command')?.[0]?.metadata.actor, effects: below('command') };
}

/** Users have ids, workers have names. */
function isWorker(actor: string | undefined): boolean {
  return actor !== undefined && !UUID.test(actor);
}
