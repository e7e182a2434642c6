/** Under npm, one Ctrl-C arrives twice: from the terminal and, a moment later, from npm. A signal within this time is the same one (ms). */
const ECHO_MS = 1_000;
const PARENT_CHECK_MS = 250;

export interface StopSignals {
  readonly first: Promise<string>;
  /** Resolves at the second signal: the user does not want to wait. */
  readonly second: Promise<string>;
}

/** Listens for stop signals from now on. Without a listener, a signal would end the process in the middle of its start. */
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

/** npm may run us in a shell that ends on SIGTERM without passing it on, and nothing passes on SIGKILL. */
function whenParentEnds(listener: () => void): void {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    listener();
  }, PARENT_CHECK_MS);
  timer.unref();
}
