import type { Logger } from 'pino';

export interface HealthCheck {
  readonly name: string;
  /** Whether the process cannot do its work without it. */
  readonly required: boolean;
  /** Rejects when the part is down. What it answers is shown beside the status (a lag, a version); nothing secret. */
  check(signal: AbortSignal): Promise<Readonly<Record<string, string | number | boolean>> | undefined | void>;
}

export interface ComponentHealth {
  readonly status: 'up' | 'down';
  readonly required: boolean;
  readonly latencyMs: number;
  readonly [detail: string]: string | number | boolean;
}

export interface HealthReport {
  /** All required parts are up. */
  readonly healthy: boolean;
  readonly timestamp: string;
  readonly components: Readonly<Record<string, ComponentHealth>>;
}

export interface Health {
  report(): Promise<HealthReport>;
  /** Whether this process wants requests: healthy, and not going down. */
  readonly draining: AbortSignal;
}

export interface HealthOptions {
  readonly checks: readonly HealthCheck[];
  readonly log: Logger;
  readonly draining: AbortSignal;
  /** A check that takes longer has failed; 1 000 by default. */
  readonly timeoutMs?: number;
  /** How long a report may be given again, so that probes cannot load what they probe; 1 000 by default. */
  readonly keepMs?: number;
}

export function createHealth({ checks, log, draining, timeoutMs = 1_000, keepMs = 1_000 }: HealthOptions): Health {
  let last: { at: number; report: Promise<HealthReport> } | undefined;
  const down = new Set<string>();

  async function probe({ name, required, check }: HealthCheck): Promise<[string, ComponentHealth]> {
    const started = performance.now();
    const facts = (status: 'up' | 'down'): ComponentHealth => ({
      status,
      required,
      latencyMs: Math.round((performance.now() - started) * 10) / 10,
    });
    try {
      const details = await bounded(check, timeoutMs);
      if (down.delete(name)) log.info({ component: name }, 'component is up again');
      return [name, { ...details, ...facts('up') }];
    } catch (error) {
      if (!down.has(name)) log.warn({ component: name, err: error }, 'component is down');
      down.add(name);
      return [name, facts('down')];
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

/** A check that hangs must not hang the report. */
async function bounded(check: HealthCheck['check'], timeoutMs: number): ReturnType<HealthCheck['check']> {
  const signal = AbortSignal.timeout(timeoutMs);
  const late = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(new Error(`no answer within ${timeoutMs} ms`)), { once: true });
  });
  return await Promise.race([check(signal), late]);
}
