import type { Logger } from 'pino';
import { withTimeout } from '../../core/withTimeout.ts';

/** Shown beside the status of a part (a lag, a version). Nothing secret. */
export type HealthDetails = Readonly<Record<string, string | number | boolean>>;

export interface HealthCheck {
  readonly name: string;
  /** Whether the process cannot do its work without this part. */
  readonly required: boolean;
  /** Rejects when the part is down; with a `ComponentDown` when there are details to show all the same. */
  check(signal: AbortSignal): Promise<HealthDetails | undefined | void>;
}

/** The part is down, and its details say in which way. */
export class ComponentDown extends Error {
  readonly details: HealthDetails;

  constructor(message: string, details: HealthDetails) {
    super(message);
    this.name = 'ComponentDown';
    this.details = details;
  }
}

export interface ComponentHealth {
  readonly status: 'up' | 'down';
  readonly required: boolean;
  readonly latencyMs: number;
  readonly [detail: string]: string | number | boolean;
}

export interface HealthReport {
  /** Whether all required parts are up. */
  readonly healthy: boolean;
  readonly timestamp: string;
  readonly components: Readonly<Record<string, ComponentHealth>>;
}

export interface Health {
  report(): Promise<HealthReport>;
  /** Aborts when the process begins to stop: load balancers should send no more requests. */
  readonly draining: AbortSignal;
}

export interface HealthOptions {
  readonly checks: readonly HealthCheck[];
  readonly logger: Logger;
  readonly draining: AbortSignal;
  /** In milliseconds. A check that takes longer has failed; 1 000 by default. */
  readonly timeoutMs?: number;
  /** For how many milliseconds a report is repeated, so that probes do not load what they probe; 1 000 by default. */
  readonly keepMs?: number;
}

/** A check that has not ended after this time is given up, and another one may begin (ms). */
const GIVE_UP_MS = 10_000;

export function createHealth({ checks, logger, draining, timeoutMs = 1_000, keepMs = 1_000 }: HealthOptions): Health {
  let last: { at: number; report: Promise<HealthReport> } | undefined;
  const down = new Set<string>();
  const begin = new Map(checks.map(({ name, check }) => [name, onceAtATime(check)]));

  async function probe({ name, required }: HealthCheck): Promise<[string, ComponentHealth]> {
    const started = performance.now();
    const facts = (status: 'up' | 'down'): ComponentHealth => ({
      status,
      required,
      latencyMs: Math.round((performance.now() - started) * 10) / 10,
    });
    try {
      const details = await inTime(begin.get(name)!, timeoutMs);
      if (down.delete(name)) logger.info({ component: name }, 'component is up again');
      return [name, { ...details, ...facts('up') }];
    } catch (error) {
      if (!down.has(name)) logger.warn({ component: name, err: error }, 'component is down');
      down.add(name);
      const details = error instanceof ComponentDown ? error.details : {};
      return [name, { ...details, ...facts('down') }];
    }
  }

  async function examine(): Promise<HealthReport> {
    const components = Object.fromEntries(await Promise.all(checks.map(probe)));
    const healthy = Object.values(components).every(({ status, required }) => status === 'up' || !required);
    return { healthy, timestamp: new Date().toISOString(), components };
  }

  return {
    draining,
    report() {
      const now = performance.now();
      if (last === undefined || now - last.at > keepMs) last = { at: now, report: examine() };
      return last.report;
    },
  };
}

interface Checking {
  readonly result: Promise<HealthDetails | undefined | void>;
  readonly abort: AbortController;
}

/**
 * Begins a check, unless the last one is still under way: a part that hangs must not collect checks that wait for it, since each
 * may hold a connection.
 */
function onceAtATime(check: HealthCheck['check']): () => Checking {
  let last: (Checking & { readonly at: number }) | undefined;
  return () => {
    if (last !== undefined && performance.now() - last.at < GIVE_UP_MS) return last;
    const abort = new AbortController();
    const checking = { at: performance.now(), abort, result: check(abort.signal) };
    const ended = (): void => void (last === checking && (last = undefined));
    checking.result.then(ended, ended);
    return (last = checking);
  };
}

/** A check that hangs must not hang the report; its signal aborts. */
async function inTime(begin: () => Checking, timeoutMs: number): Checking['result'] {
  const { result, abort } = begin();
  return withTimeout(result, timeoutMs, () => {
    const error = new Error(`no answer within ${timeoutMs} ms`);
    abort.abort(error);
    throw error;
  });
}
