import type pg from 'pg';
import type { Logger } from 'pino';
import { pause } from '../../core/abortable.ts';

export interface LeaseOptions {
  readonly pool: pg.Pool;
  readonly name: string;
  /** Names this process for people who read the table. */
  readonly holder: string;
  readonly logger: Logger;
  /** Milliseconds after the holder's last renewal after which another process may take the lease; 5 000 by default. */
  readonly lastsMs?: number;
  /** Called each time that another process holds the lease. */
  onTaken?(): void;
}

/** The right to do what only one process may do at a time. It ends when it is released or not renewed in time. */
export interface Lease extends AsyncDisposable {
  /** Rises each time the lease is taken. Writes of an earlier holder are recognised by their lower epoch. */
  readonly epoch: bigint;
  /** Aborts when the lease may be lost, before another process can take it. */
  readonly signal: AbortSignal;
}

/**
 * Waits until the lease is free and takes it. Only the database server's clock counts, so clocks need not agree. Throws
 * the signal's reason.
 */
export async function takeLease(options: LeaseOptions, signal: AbortSignal): Promise<Lease> {
  const { pool, name, holder, logger, lastsMs = 5_000 } = options;
  for (;;) {
    signal.throwIfAborted();
    const askedAt = performance.now();
    try {
      const epoch = await tryTake(pool, name, holder, lastsMs);
      if (epoch !== undefined) return hold(options, epoch, askedAt, signal);
      options.onTaken?.();
    } catch (error) {
      logger.warn({ message: (error as Error).message }, `the lease ${name} could not be requested; trying again`);
    }
    await pause(lastsMs / 5, signal);
  }
}

async function tryTake(pool: pg.Pool, name: string, holder: string, lastsMs: number): Promise<bigint | undefined> {
  const { rows } = await pool.query<{ epoch: bigint }>(
    `insert into reelstream.leases as l (name, holder, epoch, expires_at) values ($1, $2, 1, clock_timestamp() + $3 * interval '1 ms')
     on conflict (name) do update set holder = excluded.holder, epoch = l.epoch + 1, expires_at = excluded.expires_at
     where l.expires_at < clock_timestamp() returning epoch`,
    [name, holder, lastsMs],
  );
  return rows[0]?.epoch;
}

function hold(
  { pool, name, logger, lastsMs = 5_000 }: LeaseOptions,
  epoch: bigint,
  askedAt: number,
  outer: AbortSignal,
): Lease {
  const over = new AbortController();
  const signal = AbortSignal.any([over.signal, outer]);
  // Counted from before the request was sent, with a margin for clocks of different speed. So it always ends before the
  // server's own time does.
  const trustedMs = lastsMs * 0.8;
  let expiry = setTimeout(lose, Math.max(0, askedAt + trustedMs - performance.now()));
  const renewing = renew();

  function lose(): void {
    over.abort(new Error(`the lease ${name} was lost`));
  }

  async function renew(): Promise<void> {
    while (!signal.aborted) {
      await pause(lastsMs / 4, signal);
      if (signal.aborted) return;
      const asked = performance.now();
      try {
        const { rowCount } = await pool.query(
          `update reelstream.leases set expires_at = clock_timestamp() + $3 * interval '1 ms' where name = $1 and epoch = $2`,
          [name, epoch, lastsMs],
        );
        if (rowCount === 0) return lose();
        clearTimeout(expiry);
        expiry = setTimeout(lose, Math.max(0, asked + trustedMs - performance.now()));
      } catch (error) {
        logger.warn({ message: (error as Error).message }, `the lease ${name} could not be renewed; trying again`);
      }
    }
  }

  return {
    epoch,
    signal,
    async [Symbol.asyncDispose]() {
      over.abort(new Error(`the lease ${name} was released`));
      await renewing;
      clearTimeout(expiry);
      await pool
        .query('update reelstream.leases set expires_at = clock_timestamp() where name = $1 and epoch = $2', [
          name,
          epoch,
        ])
        .catch(() => undefined);
    },
  };
}
