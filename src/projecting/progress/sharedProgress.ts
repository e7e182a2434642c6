import type pg from 'pg';
import type { Logger } from 'pino';
import { pause } from '../../core/abortable.ts';
import { listen } from '../../postgres/listen.ts';
import { isMissingTable } from '../../postgres/missingTable.ts';
import { createOtherListeners } from '../../postgres/otherListeners.ts';
import { readCheckpointsOf, type CheckpointOf } from '../checkpoints.ts';
import { createProgressTracker, type DeclaredProjection, type PartitionMoved } from './progressTracker.ts';
import type { ProjectionProgress } from '../../core/projectionProgress.ts';

const CHANNEL = 'reelstream_progress';
/** A NOTIFY takes a lock of the whole server as it commits, so one notification reports all that moved meanwhile. */
const NOTIFY_EVERY_MS = 15;
/** In bytes. PostgreSQL accepts payloads below 8 000. */
const MOST_PAYLOAD = 7_000;
/** A call that still waits after so long may have missed a report. */
const OVERDUE_MS = 200;
const POLL_FOR_LISTENERS_MS = 1_000;

export interface SharedProgressOptions {
  readonly pool: pg.Pool;
  /** The projections to report on, as this program declares them. */
  readonly projections: readonly DeclaredProjection[];
  readonly logger: Logger;
}

/** The progress of all projections, whichever process runs them. */
export interface SharedProgress extends ProjectionProgress {
  /**
   * For the process that runs projections: reports a move to this process at once, to others, if there are any, within
   * milliseconds.
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
  const others = createOtherListeners({ pool, channel: CHANNEL });
  const unreported = new Map<string, PartitionMoved>();
  const seen = new Map<string, bigint>();
  let begun = false;
  let notifying: Promise<void> | undefined;
  let running: Promise<unknown> | undefined;

  function moved(move: PartitionMoved): void {
    // No request waits for a process manager, and each notification wakes every API process.
    if (!names.has(move.projection)) return;
    tracker.moved(move);
    if (!others.mayExist()) return;
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
      onConnected: (pid) => {
        others.listenWith(pid);
        return readAll(true);
      },
      signal,
      logger,
    });
  }

  async function poll(): Promise<void> {
    let lastPoll = performance.now();
    while (!signal.aborted) {
      await pause(OVERDUE_MS, signal);
      const isDue = tracker.watched && performance.now() - lastPoll >= POLL_FOR_LISTENERS_MS;
      if (!isDue && !tracker.isAwaitedSince(OVERDUE_MS)) continue;
      await readAll(false).catch(() => undefined);
      lastPoll = performance.now();
    }
  }

  async function readAll(regressed: boolean): Promise<void> {
    for (const { schema: projection, partition, partitions, position, version, variant } of await readInstalled()) {
      const key = `${projection} ${partition}`;
      // A checkpoint that did not exist at the start has been filled since then.
      const changed = position > (seen.get(key) ?? (begun ? 0n : position)) && position > tracker.position(projection);
      seen.set(key, position);
      tracker.moved({ projection, partition, partitions, position, version, variant, changed, regressed });
    }
  }

  /** Of all projections in one question, or of each alone while one of them is not installed yet. */
  async function readInstalled(): Promise<readonly CheckpointOf[]> {
    const all = [...names];
    try {
      return await readCheckpointsOf(pool, all);
    } catch (error) {
      if (!isMissingTable(error)) throw error;
    }
    const found: CheckpointOf[] = [];
    for (const name of all)
      found.push(
        ...(await readCheckpointsOf(pool, [name]).catch((error) => {
          if (isMissingTable(error)) return [];
          throw error;
        })),
      );
    return found;
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
      await Promise.all([running, notifying, others.close()]);
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
