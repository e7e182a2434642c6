/** Ctrl-C under npm arrives twice: from the terminal and, a moment later, passed on by npm. That is one wish, not two (ms). */
const ECHO_MS = 1_000;
const PARENT_CHECK_MS = 250;

export interface StopSignals {
  readonly first: Promise<string>;
  /** Somebody asked again. */
  readonly second: Promise<string>;
}

/** Listens from now on for being asked to stop, so that a start under way is not torn apart. */
export function stopSignals(): StopSignals {
  const first = Promise.withResolvers<string>();
  const second = Promise.withResolvers<string>();
  let askedAt: number | undefined;
  const ask = (reason: string): void => {
    askedAt ??= performance.now();
    first.resolve(reason);
    if (performance.now() - askedAt > ECHO_MS) second.resolve(reason);
  };
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(name, () => ask(name));
  if (process.env['npm_lifecycle_event'] !== undefined) whenParentEnds(() => ask('npm has ended'));
  return { first: first.promise, second: second.promise };
}

/** Between npm and us there may be a shell that ends on SIGTERM without passing it on, and nobody passes on SIGKILL. */
function whenParentEnds(listener: () => void): void {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    listener();
  }, PARENT_CHECK_MS);
  timer.unref();
}
