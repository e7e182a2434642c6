import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import type { Logger } from 'pino';
import { DomainError } from '../core/errors.ts';
import type { Answer } from '../http/reply/answer.ts';
import { fingerprintOf, isFinal, type Attempt, type Idempotency } from '../http/consistency/idempotency.ts';

const KEPT_HOURS = 24;
const CLEAN_MS = 3_600_000;

export interface PostgresIdempotencyOptions {
  /** Its time limits are those of the command too: one whose key cannot be claimed in time is refused. */
  readonly pool: pg.Pool;
  /** Keys the fingerprints. All API processes share it. */
  readonly secret: string;
  readonly log: Logger;
  /** A running command's hold on its key, renewed while it runs; after this long others take over from a process that died. 30 000 by default. */
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
  log,
  holdMs = 30_000,
}: PostgresIdempotencyOptions): Idempotency & { close(): void } {
  const running = new Set<string>();
  const quietly = (what: string, work: Promise<unknown>): void => {
    work.catch((error: unknown) => log.warn({ err: error }, what));
  };
  const renewal = setInterval(() => {
    if (running.size > 0) quietly('idempotency keys could not be renewed', pool.query(RENEW, [[...running], holdMs]));
  }, holdMs / 3);
  const cleaning = setInterval(() => quietly('old idempotency keys could not be deleted', pool.query(CLEAN)), CLEAN_MS);
  renewal.unref();
  cleaning.unref();

  return {
    fingerprint: (request) => fingerprintOf(request, secret),
    async once(attempt, run) {
      const owner = randomUUID();
      const { rowCount } = await pool.query(CLAIM, [attempt.actor, attempt.key, attempt.fingerprint, owner, holdMs]);
      if (rowCount === 0) return await answerBefore(pool, attempt);
      running.add(owner);
      let answer: Answer | undefined;
      try {
        answer = await run();
        return answer;
      } finally {
        running.delete(owner);
        const keep = answer !== undefined && isFinal(answer) && (attempt.keepSuccess || answer.status >= 400);
        // The command is done either way: if its answer cannot be kept, a repeat runs it again and finds its events.
        await (keep ? pool.query(STORE, storable(owner, answer as Answer)) : pool.query(LET_GO, [owner])).catch(
          (error: unknown) => {
            log.warn({ err: error }, 'an answer could not be kept for its idempotency key');
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

/** Takes a key that is new, that nobody holds any longer, or that has had its day. */
const CLAIM = `
  insert into reelstream.idempotency as kept (actor, key, fingerprint, owner, held_until, created_at)
  values ($1, $2, $3, $4, now() + $5 * interval '1 millisecond', now())
  on conflict (actor, key) do update
    set fingerprint = excluded.fingerprint, owner = excluded.owner, held_until = excluded.held_until, created_at = excluded.created_at,
        status = null, headers = null, body = null
    where kept.created_at < now() - interval '${KEPT_HOURS} hours'
       or (kept.status is null and kept.held_until < now() and kept.fingerprint = excluded.fingerprint)`;

/** Not what was let go meanwhile, on another connection. */
const RENEW = `update reelstream.idempotency set held_until = now() + $2 * interval '1 millisecond' where owner = any($1::uuid[]) and held_until <> '-infinity'`;
/** The key stays known, so that another request cannot take it; the same one may run again at once. */
const LET_GO = `update reelstream.idempotency set held_until = '-infinity' where owner = $1`;
const STORE = `update reelstream.idempotency set status = $2, headers = $3, body = $4 where owner = $1`;
const FIND = 'select fingerprint, status, headers, body from reelstream.idempotency where actor = $1 and key = $2';
const CLEAN = `delete from reelstream.idempotency where created_at < now() - interval '${KEPT_HOURS} hours'`;

function storable(owner: string, { status, headers, body }: Answer): unknown[] {
  return [owner, status, JSON.stringify(headers), Buffer.from(body as string)];
}

async function answerBefore(pool: pg.Pool, { actor, key, fingerprint }: Attempt): Promise<Answer> {
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
