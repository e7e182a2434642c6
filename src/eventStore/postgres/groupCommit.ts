import type { Logger } from 'pino';
import { pause } from '../../core/abortable.ts';
import { AppendRefused, EventStoreUnavailable, type AppendResult } from '../../core/eventStore.ts';
import { createMembers } from '../../core/members.ts';
import { createWakeUp } from '../../core/wakeUp.ts';
import { isOutage } from '../../postgres/outage.ts';
import type { PreparedAppend } from '../preparedAppend.ts';
import type { Outcome, Written } from './writeBatch.ts';

/** Limits of a batch. A larger one is not faster, and its appends wait longer. */
const MOST_REQUESTS = 128;
const MOST_EVENTS = 5_000;
const MOST_BYTES = 4_000_000;
const RETRY_AFTER_MS = 100;
/**
 * Two batches are on their way when each has at least so many requests: this process prepares one while PostgreSQL writes the other.
 * Smaller ones wait for each other, because each batch costs a write to the disk.
 */
const WORTH_A_BATCH = 16;
const MOST_ON_THEIR_WAY = 2;

export interface GroupCommitOptions {
  readonly write: (requests: readonly PreparedAppend[]) => Promise<Written>;
  /** Called with each batch once it is durable, and its last position, if any of its events are in the log. */
  readonly onAppended: (position: bigint, requests: readonly PreparedAppend[], written: Written) => void;
  /** Events that may wait. Callers with more are held back. */
  readonly mostWaiting: number;
  /** Milliseconds after which an append that PostgreSQL did not take fails as EventStoreUnavailable. */
  readonly giveUpAfterMs: number;
  readonly logger?: Logger;
}

export interface GroupCommit {
  append(request: PreparedAppend): Promise<AppendResult>;
  /** Resolves when all appends are answered; undefined when they are. */
  underWay(): Promise<void> | undefined;
  /** Refuses new appends, and finishes those that wait. */
  close(): Promise<void>;
}

interface Waiting {
  readonly request: PreparedAppend;
  readonly since: number;
  readonly resolve: (result: AppendResult) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Commits appends in batches: each batch holds the appends that arrived while those before were committed. No timer.
 */
export function createGroupCommit({
  write,
  onAppended,
  mostWaiting,
  giveUpAfterMs,
  logger,
}: GroupCommitOptions): GroupCommit {
  const room = createWakeUp();
  const idle = createWakeUp();
  let queue: Waiting[] = [];
  let waitingEvents = 0;
  const onTheirWay = createMembers<Promise<void>>();
  let isToSend = false;
  let closed = false;

  async function append(request: PreparedAppend): Promise<AppendResult> {
    while (waitingEvents >= mostWaiting && !closed) await room.next();
    if (closed) throw new EventStoreUnavailable('the event store is closed');
    return new Promise((resolve, reject) => {
      queue.push({ request, since: Date.now(), resolve, reject });
      waitingEvents += request.ids.length;
      sendSoon();
    });
  }

  /** When all appends of this turn of the event loop are in the queue. */
  function sendSoon(): void {
    if (isToSend || !isWorthSending()) return;
    isToSend = true;
    setImmediate(send);
  }

  function isWorthSending(): boolean {
    return queue.length >= (onTheirWay.size === 0 ? 1 : WORTH_A_BATCH) && onTheirWay.size < MOST_ON_THEIR_WAY;
  }

  function isIdle(): boolean {
    return queue.length === 0 && onTheirWay.size === 0;
  }

  // Not `coalesced`: a batch has limits, so one run may send several, and each append gets an outcome of its own.
  function send(): void {
    isToSend = false;
    while (isWorthSending()) {
      const answered = settle(takeBatch()).finally(() => {
        leave();
        sendSoon();
        if (isIdle()) idle.wake();
      });
      const leave = onTheirWay.add(answered);
    }
  }

  /** The first of two batches leaves half for the second. */
  function takeBatch(): Waiting[] {
    const isHalf = onTheirWay.size === 0 && queue.length >= 2 * WORTH_A_BATCH;
    const most = isHalf ? Math.min(MOST_REQUESTS, Math.ceil(queue.length / 2)) : MOST_REQUESTS;
    const ids = new Set<string>();
    let bytes = 0;
    let size = 0;
    for (const { request } of queue) {
      const full = size === most || ids.size + request.ids.length > MOST_EVENTS || bytes + request.bytes > MOST_BYTES;
      // A repeat of an append in this batch must find it in the log, so it goes into the next batch.
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

  /** To be called when the queue has become shorter: lets in the callers that were held back. */
  function countWaiting(): void {
    waitingEvents = queue.reduce((sum, { request }) => sum + request.ids.length, 0);
    room.wake();
  }

  /** Answers every append of the batch. */
  async function settle(batch: readonly Waiting[]): Promise<void> {
    let left = batch;
    while (left.length > 0) {
      try {
        const requests = left.map(({ request }) => request);
        const written = await write(requests);
        const position = answer(left, written.outcomes);
        return position > 0n ? onAppended(position, requests, written) : undefined;
      } catch (error) {
        if (isOutage(error)) {
          logger?.warn({ err: error, appends: left.length }, 'PostgreSQL did not take a batch of appends');
          // It may have been written all the same. Trying again is safe: PostgreSQL recognises the event ids.
          left = giveUpOld(left, error);
          queue = giveUpOld(queue, error);
          countWaiting();
          if (left.length > 0) await pause(RETRY_AFTER_MS);
        } else if (left.length === 1) {
          return left[0]!.reject(refusal(error));
        } else {
          // One of them caused the error: halve the batch until that one is alone.
          const half = left.length >> 1;
          await settle(left.slice(0, half));
          left = left.slice(half);
        }
      }
    }
  }

  /** Returns the last position of the batch; 0n when none of its events are in the log. */
  function answer(batch: readonly Waiting[], outcomes: readonly Outcome[]): bigint {
    let last = 0n;
    batch.forEach(({ resolve, reject }, index) => {
      const outcome = outcomes[index]!;
      if (outcome instanceof Error) return reject(outcome);
      if (outcome.position > last) last = outcome.position;
      const { revision, position } = outcome;
      resolve({ revision, position });
    });
    return last;
  }

  function giveUpOld(appends: readonly Waiting[], cause: unknown): Waiting[] {
    const oldest = Date.now() - giveUpAfterMs;
    return appends.filter(({ since, reject }) => {
      if (since > oldest) return true;
      reject(
        new EventStoreUnavailable(
          'PostgreSQL did not take the append in time; it can be tried again with the same event ids',
          { cause },
        ),
      );
      return false;
    });
  }

  return {
    append,
    underWay: () => (isIdle() ? undefined : idle.next()),
    close: async () => {
      closed = true;
      room.wake();
      while (!isIdle()) {
        await Promise.all(onTheirWay.all());
        await new Promise(setImmediate);
      }
    },
  };
}

/** Turns errors about data that PostgreSQL will never take (SQLSTATE classes 22, 23 and 54) into AppendRefused. */
function refusal(error: unknown): unknown {
  const code = (error as { code?: unknown }).code;
  if (typeof code === 'string' && /^(22|23|54)/.test(code))
    return new AppendRefused('PostgreSQL does not take these events', { cause: error });
  return error;
}
