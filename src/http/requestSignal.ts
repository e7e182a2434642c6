import type { Response } from 'express';

/** Aborts when the client goes away before its answer is out, or the server drains. */
export function requestSignal(response: Response, draining: AbortSignal): AbortSignal {
  const controller = new AbortController();
  const drain = (): void => controller.abort(new DOMException('the server is going down', 'AbortError'));
  if (draining.aborted) drain();
  draining.addEventListener('abort', drain, { once: true });
  response.once('close', () => {
    draining.removeEventListener('abort', drain);
    if (!response.writableFinished) controller.abort(new DOMException('the client has gone away', 'AbortError'));
  });
  return controller.signal;
}
