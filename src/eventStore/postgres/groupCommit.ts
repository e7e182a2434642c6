import type { Logger } from 'pino';
import { pause } from '../../core/abortable.ts';
import { isOutage } from '../../postgres/outage.ts';
import { AppendRefused, EventStoreUnavailable, type AppendResult } from '../../core/eventStore.ts';
import type { Outcome } from './batch.ts';
import type { PreparedAppend } from '../preparedAppend.ts';

/** Beyond these a batch gains nothing more and only makes its members wait. */
const MOST_REQUESTS = 500;
const MOST_EVENTS = 5_000;
const MOST_BYTES = 4_000_000;
const RETRY_AFTER_MS = 100;

export interface AppenderOptions {
  readonly write: (requests: readonly PreparedAppend[]) => Promise<Outcome[]>;
  /** Hears the last position of each batch once it is durable. */
  readonly onAppended: (position: bigint) => void;
  /** Events that may wait; callers beyond are held back. */
  readonly mostWaiting: number;
  /** Age at which an append that the store did not take is given up. */
  readonly giveUpAfterMs: number;
  readonly log?: Logger;
}

export interface Appender {
  append(request: PreparedAppend): Promise<AppendResult>;
  /** Refuses what comes from now on, and finishes what is under way. */
  close(): Promise<void>;
}

interface Waiting {
  readonly request: PreparedAppend;
  readonly since: number;
  readonly resolve: (result: AppendResult) => void;
  readonly reject: (error: unknown) => void;
}

/** Group commit: each batch is what came in while the one before was committed, without any timer. */
export function createAppender({ write, onAppended, mostWaiting, giveUpAfterMs, log }: AppenderOptions): Appender {
  let queue: Waiting[] = [];
  let waitingEvents = 0;
  let room = Promise.withResolvers<void>();
  let writing: Promise<void> | undefined;
  let closed = false;

  async function append(request: PreparedAppend): Promise<AppendResult> {
    while (waitingEvents >= mostWaiting && !closed) await room.promise;
    if (closed) throw new EventStoreUnavailable('the event store is closed');
    return new Promise((resolve, reject) => {
      queue.push({ request, since: Date.now(), resolve, reject });
      waitingEvents += request.ids.length;
      writing ??= writeAll();
    });
  }

  async function writeAll(): Promise<void> {
    // Lets all that was asked for in this turn of the event loop be part of the first batch.
    await new Promise(setImmediate);
    while (queue.length > 0) await settle(takeBatch());
    writing = undefined;
  }

  function takeBatch(): Waiting[] {
    const ids = new Set<string>();
    let bytes = 0;
    let size = 0;
    for (const { request } of queue) {
      const full =
        size === MOST_REQUESTS || ids.size + request.ids.length > MOST_EVENTS || bytes + request.bytes > MOST_BYTES;
      // A repeat of what is in this batch must find it in the log: it goes into the next one.
      if (size > 0 && (full || request.ids.some((id) => ids.has(id)))) break;
      for (const id of request.ids) ids.add(id);
      bytes += request.bytes;
      size++;
    }
    const batch = queue.slice(0, size);
    queue = queue.slice(size);
    countWaiting();
    return batch;
  }

  /** After the queue has become shorter: lets those in who were held back. */
  function countWaiting(): void {
    waitingEvents = queue.reduce((sum, { request }) => sum + request.ids.length, 0);
    room.resolve();
    room = Promise.withResolvers<void>();
  }

  /** Answers every member of the batch. */
  async function settle(batch: readonly Waiting[]): Promise<void> {
    let left = batch;
    while (left.length > 0) {
      try {
        return answer(left, await write(left.map(({ request }) => request)));
      } catch (error) {
        if (isOutage(error)) {
          log?.warn({ err: error, appends: left.length }, 'the event log did not take a batch of appends');
          // Perhaps it was written all the same: trying again is safe, since the store knows the event ids.
          left = giveUpOld(left, error);
          queue = giveUpOld(queue, error);
          countWaiting();
          if (left.length > 0) await pause(RETRY_AFTER_MS);
        } else if (left.length === 1) {
          return left[0]!.reject(refusal(error));
        } else {
          // One of them is to blame: halve until it is alone.
          const half = left.length >> 1;
          await settle(left.slice(0, half));
          left = left.slice(half);
        }
      }
    }
  }

  function answer(batch: readonly Waiting[], outcomes: readonly Outcome[]): void {
    let last = 0n;
    batch.forEach(({ resolve, reject }, index) => {
      const outcome = outcomes[index]!;
      if (outcome instanceof Error) return reject(outcome);
      if (outcome.position > last) last = outcome.position;
      resolve(outcome);
    });
    if (last > 0n) onAppended(last);
  }

  function giveUpOld(appends: readonly Waiting[], cause: unknown): Waiting[] {
    const oldest = Date.now() - giveUpAfterMs;
    return appends.filter(({ since, reject }) => {
      if (since > oldest) return true;
      reject(
        new EventStoreUnavailable(
          'the event log did not take the append in time; it may be tried again with the same event ids',
          { cause },
        ),
      );
      return false;
    });
  }

  return {
    append,
    close: async () => {
      closed = true;
      room.resolve();
      await writing;
    },
  };
}

/** Data that the database will never take (SQLSTATE classes 22, 23 and 54) becomes a refusal; anything else stays what it is. */
function refusal(error: unknown): unknown {
  const code = (error as { code?: unknown }).code;
  if (typeof code === 'string' && /^(22|23|54)/.test(code))
    return new AppendRefused('the event log does not take these events', { cause: error });
  return error;
}
