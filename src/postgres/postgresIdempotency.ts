import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import type { Logger } from 'pino';
import { DomainError } from '../core/errors.ts';
import type { Answer } from '../http/reply/answer.ts';
import { fingerprintOf, isFinal, type Attempt, type Idempotency } from '../http/consistency/idempotency.ts';

const KEPT_HOURS = 24;
const CLEAN_MS = 3_600_000;

export interface PostgresIdempotencyOptions {
  /** A command fails when its key cannot be claimed within the timeouts of this pool. */
  readonly pool: pg.Pool;
  /** The key of the HMAC that makes fingerprints. The same in all API processes. */
  readonly secret: string;
  readonly logger: Logger;
  /** How long a running command holds its key without renewing it (ms). After the process has died, others can take the key then. Default: 30 000. */
  readonly holdMs?: number;
}

interface Row {
  readonly fingerprint: string;
  readonly status: number | null;
  readonly headers: Record<string, string>;
  readonly body: Buffer;
}

export function createPostgresIdempotency({
  pool,
  secret,
  logger,
  holdMs = 30_000,
}: PostgresIdempotencyOptions): Idempotency & { close(): void } {
  const running = new Set<string>();
  const logFailure = (what: string, work: Promise<unknown>): void => {
    work.catch((error: unknown) => logger.warn({ err: error }, what));
  };
  const renewal = setInterval(() => {
    if (running.size > 0)
      logFailure('idempotency keys could not be renewed', pool.query(RENEW, [[...running], holdMs]));
  }, holdMs / 3);
  const cleaning = setInterval(
    () => logFailure('old idempotency keys could not be deleted', pool.query(CLEAN)),
    CLEAN_MS,
  );
  renewal.unref();
  cleaning.unref();

  return {
    fingerprint: (request) => fingerprintOf(request, secret),
    async once(attempt, run) {
      const owner = randomUUID();
      const { rowCount } = await pool.query(CLAIM, [attempt.actor, attempt.key, attempt.fingerprint, owner, holdMs]);
      if (rowCount === 0) return await earlierAnswer(pool, attempt);
      running.add(owner);
      let answer: Answer | undefined;
      try {
        answer = await run();
        return answer;
      } finally {
        running.delete(owner);
        const keep = answer !== undefined && isFinal(answer) && (attempt.keepSuccess || answer.status >= 400);
        // The command has been executed. If its answer cannot be kept, a repeat runs it again and finds its events.
        await (keep ? pool.query(STORE, storable(owner, answer as Answer)) : pool.query(RELEASE, [owner])).catch(
          (error: unknown) => {
            logger.warn({ err: error }, 'an answer could not be kept for its idempotency key');
          },
        );
      }
    },
    close() {
      clearInterval(renewal);
      clearInterval(cleaning);
    },
  };
}

/** Takes a key that is new, that has expired, or whose holder has not renewed it. */
const CLAIM = `
  insert into reelstream.idempotency as kept (actor, key, fingerprint, owner, held_until, created_at)
  values ($1, $2, $3, $4, now() + $5 * interval '1 millisecond', now())
  on conflict (actor, key) do update
    set fingerprint = excluded.fingerprint, owner = excluded.owner, held_until = excluded.held_until, created_at = excluded.created_at,
        status = null, headers = null, body = null
    where kept.created_at < now() - interval '${KEPT_HOURS} hours'
       or (kept.status is null and kept.held_until < now() and kept.fingerprint = excluded.fingerprint)`;

/** Not keys that were released meanwhile, on another connection. */
const RENEW = `update reelstream.idempotency set held_until = now() + $2 * interval '1 millisecond' where owner = any($1::uuid[]) and held_until <> '-infinity'`;
/** The key remains, so that a different request cannot take it. The same request may run again at once. */
const RELEASE = `update reelstream.idempotency set held_until = '-infinity' where owner = $1`;
const STORE = `update reelstream.idempotency set status = $2, headers = $3, body = $4 where owner = $1`;
const FIND = 'select fingerprint, status, headers, body from reelstream.idempotency where actor = $1 and key = $2';
const CLEAN = `delete from reelstream.idempotency where created_at < now() - interval '${KEPT_HOURS} hours'`;

function storable(owner: string, { status, headers, body }: Answer): unknown[] {
  return [owner, status, JSON.stringify(headers), Buffer.from(body as string)];
}

async function earlierAnswer(pool: pg.Pool, { actor, key, fingerprint }: Attempt): Promise<Answer> {
  const { rows } = await pool.query<Row>(FIND, [actor, key]);
  const [row] = rows;
  if (row !== undefined && row.fingerprint !== fingerprint) {
    throw new DomainError(
      'unprocessable',
      'idempotency_key_reused',
      'This Idempotency-Key belongs to another request; use a new one.',
    );
  }
  if (row?.status == null) {
    throw new DomainError(
      'conflict',
      'idempotency_in_progress',
      'The first request with this Idempotency-Key is still running.',
      { retryAfter: 1 },
    );
  }
  return { status: row.status, headers: { ...row.headers, 'Idempotent-Replay': 'true' }, body: row.body };
}
