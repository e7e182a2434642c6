/** Ctrl-C under npm arrives twice: from the terminal and, a moment later, passed on by npm. That is one wish, not two (ms). */
const ECHO_MS = 1_000;

export interface StopSignals {
  readonly first: Promise<NodeJS.Signals>;
  /** Somebody asked again. */
  readonly second: Promise<NodeJS.Signals>;
}

/** Listens from now on for being asked to stop, so that a start under way is not torn apart. */
export function stopSignals(): StopSignals {
  const first = Promise.withResolvers<NodeJS.Signals>();
  const second = Promise.withResolvers<NodeJS.Signals>();
  let askedAt: number | undefined;
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(name, () => {
      askedAt ??= performance.now();
      first.resolve(name);
      if (performance.now() - askedAt > ECHO_MS) second.resolve(name);
    });
  }
  return { first: first.promise, second: second.promise };
}
