import type { Queue } from './queue.ts';

/** `failed`: it is not tried again, because it failed or was killed too often, or its worker recorded a failure. */
export type JobState = 'waiting' | 'running' | 'failed' | 'done' | 'cancelled';

/** A job as an operator sees it. */
export interface Job {
  readonly id: string;
  readonly queue: string;
  readonly state: JobState;
  /** The user whose turn it takes. */
  readonly ownerId: string | undefined;
  readonly payload: object;
  /** What log entries about the job say (`Queue.logFields`). */
  readonly about: Readonly<Record<string, unknown>>;
  /** Those that have begun. */
  readonly attempts: number;
  /** Why it failed. While it waits or runs: why the last attempt failed. */
  readonly error: string | undefined;
  readonly createdAt: Date;
  /** Of the last attempt. */
  readonly startedAt: Date | undefined;
  readonly endedAt: Date | undefined;
  /** How long the last attempt waited after it was due; of a job that waits, until now. */
  readonly waitedMs: number;
  /** How long the last attempt has taken. */
  readonly tookMs: number | undefined;
}

/** A row of pg-boss's table. */
export interface JobRow {
  readonly id: string;
  readonly queue: string;
  readonly state: JobState;
  readonly ownerId: string | null;
  readonly data: { readonly killed?: number };
  readonly retryCount: number;
  readonly output: JobOutput | null;
  readonly createdAt: Date;
  readonly startedAt: Date | null;
  readonly endedAt: Date | null;
  readonly dueAt: Date;
  readonly now: Date;
  /** Microseconds since 1970: `createdAt` in full precision. */
  readonly addedAt: bigint;
}

/** `failed` is ours (`working.ts`). pg-boss stores an error as it is, or a text as `value`. */
interface JobOutput {
  readonly failed?: string;
  readonly message?: string;
  readonly value?: string | { readonly message?: string };
}

export function toJob(row: JobRow, queue: Queue): Job {
  const { state, retryCount, startedAt, endedAt, dueAt, now } = row;
  const { killed: _, ...payload } = row.data;
  const begun = startedAt ?? undefined;
  const isWaiting = state === 'waiting' || begun === undefined;
  return {
    id: row.id,
    queue: row.queue,
    state,
    ownerId: row.ownerId ?? undefined,
    payload,
    about: { ...queue.logFields(payload) },
    attempts: begun === undefined ? 0 : retryCount + 1,
    error: state === 'done' || state === 'cancelled' ? undefined : errorIn(row.output),
    createdAt: row.createdAt,
    startedAt: begun,
    endedAt: endedAt ?? undefined,
    waitedMs: between(dueAt, isWaiting ? (endedAt ?? now) : begun),
    tookMs: isWaiting ? undefined : between(begun, endedAt ?? now),
  };
}

function errorIn(output: JobOutput | null): string | undefined {
  if (output === null) return undefined;
  const { failed, message, value } = output;
  return failed ?? message ?? (typeof value === 'string' ? value : value?.message);
}

function between(from: Date, to: Date): number {
  return Math.max(0, to.getTime() - from.getTime());
}
