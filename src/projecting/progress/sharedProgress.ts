import type pg from 'pg';
import type { Logger } from 'pino';
import { pause } from '../../core/abortable.ts';
import { listen } from '../../postgres/listen.ts';
import { readCheckpoints } from '../checkpoints.ts';
import { createProgressTracker, type DeclaredProjection, type PartitionMoved } from './progressTracker.ts';
import type { ProjectionProgress } from '../../core/projectionProgress.ts';

const CHANNEL = 'reelstream_progress';
/** A NOTIFY takes a lock of the whole server as it commits, so one notification reports all that moved meanwhile. */
const NOTIFY_EVERY_MS = 15;
/** In bytes. PostgreSQL accepts payloads below 8 000. */
const MOST_PAYLOAD = 7_000;
const POLL_FOR_WAITERS_MS = 200;
const POLL_FOR_LISTENERS_MS = 1_000;
const UNDEFINED_TABLE = '42P01';

export interface SharedProgressOptions {
  readonly pool: pg.Pool;
  /** The projections to report on, as this program declares them. */
  readonly projections: readonly DeclaredProjection[];
  readonly logger: Logger;
}

/** The progress of all projections, whichever process runs them. */
export interface SharedProgress extends ProjectionProgress {
  /**
   * For the process that runs projections: reports a move to this process at once, to the others within milliseconds.
   * Ignores consumers that are not among `projections`.
   */
  moved(move: PartitionMoved): void;
  /** Reads where the projections are and begins to listen to other processes. Keeps one connection of the pool. */
  start(): Promise<void>;
  close(): Promise<void>;
}

export function createSharedProgress({ pool, projections, logger }: SharedProgressOptions): SharedProgress {
  const tracker = createProgressTracker(projections);
  const names = new Set(projections.map(({ name }) => name));
  const closing = new AbortController();
  const { signal } = closing;
  const unreported = new Map<string, PartitionMoved>();
  const seen = new Map<string, bigint>();
  let begun = false;
  let notifying: Promise<void> | undefined;
  let running: Promise<unknown> | undefined;

  function moved(move: PartitionMoved): void {
    // No request waits for a process manager, and each notification wakes every API process.
    if (!names.has(move.projection)) return;
    tracker.moved(move);
    const key = `${move.projection} ${move.partition}`;
    unreported.set(key, { ...move, changed: move.changed || unreported.get(key)?.changed === true });
    notifying ??= notifyOthers();
  }

  // Not `coalesced`: a run lasts until every move is reported, with a pause after each notification.
  async function notifyOthers(): Promise<void> {
    while (unreported.size > 0) {
      const payload = takePayload(unreported);
      await pool.query('select pg_notify($1, $2)', [CHANNEL, payload]).catch(() => undefined);
      await pause(NOTIFY_EVERY_MS, signal);
    }
    notifying = undefined;
  }

  function hear(): Promise<void> {
    return listen({
      pool,
      channel: CHANNEL,
      onNotification: (payload) => parsePayload(payload).forEach(tracker.moved),
      // A server that crashed may have lost its last commits: its checkpoints replace what was known before.
      onConnected: () => readAll(true),
      signal,
      logger,
    });
  }

  async function poll(): Promise<void> {
    while (!signal.aborted) {
      await pause(tracker.awaited ? POLL_FOR_WAITERS_MS : POLL_FOR_LISTENERS_MS, signal);
      if (tracker.awaited || tracker.watched) await readAll(false).catch(() => undefined);
    }
  }

  async function readAll(regressed: boolean): Promise<void> {
    for (const projection of names) {
      const checkpoints = await readCheckpoints(pool, projection).catch((error: unknown) => {
        if ((error as { code?: string }).code === UNDEFINED_TABLE) return []; // not installed yet
        throw error;
      });
      for (const { partition, partitions, position, version, variant } of checkpoints) {
        const key = `${projection} ${partition}`;
        // A checkpoint that did not exist at the start has been filled since then.
        const changed =
          position > (seen.get(key) ?? (begun ? 0n : position)) && position > tracker.position(projection);
        seen.set(key, position);
        tracker.moved({ projection, partition, partitions, position, version, variant, changed, regressed });
      }
    }
  }

  return {
    position: tracker.position,
    positions: tracker.positions,
    state: tracker.state,
    waitFor: tracker.waitFor,
    onCommit: tracker.onCommit,
    moved,
    async start() {
      await readAll(false);
      begun = true;
      running ??= Promise.all([hear(), poll()]);
    },
    async close() {
      closing.abort();
      await Promise.all([running, notifying]);
    },
  };
}

/** Takes as many moves out of the map as fit into one payload. */
function takePayload(unreported: Map<string, PartitionMoved>): string {
  let payload = '';
  for (const [key, { projection, partition, partitions, position, changed, version, variant }] of unreported) {
    const line = `${projection} ${partition} ${partitions} ${position} ${Number(changed)} ${version ?? ''} ${variant ?? ''}\n`;
    if (payload.length + line.length > MOST_PAYLOAD) break;
    payload += line;
    unreported.delete(key);
  }
  return payload;
}

function parsePayload(payload: string): PartitionMoved[] {
  return payload
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [projection = '', partition, partitions, position = '0', changed, version, variant] = line.split(' ');
      return {
        projection,
        partition: Number(partition),
        partitions: Number(partitions),
        position: BigInt(position),
        changed: changed === '1',
        // A process of an older program sends neither.
        version: version ? Number(version) : undefined,
        variant,
      };
    });
}
