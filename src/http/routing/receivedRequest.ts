import type { IncomingMessage, ServerResponse } from 'node:http';
import { onAbort } from '../../core/abortable.ts';
import type { CommandContext } from '../../core/commandContext.ts';
import type { AuthenticatedUser, RouteRequest } from '../route.ts';

type Facts = Omit<RouteRequest<unknown, unknown, unknown>, 'signal'>;

/**
 * A class because of the getter `signal`: with a getter in an object literal, V8 makes a hidden class per request,
 * which only a full garbage collection frees.
 */
export class ReceivedRequest implements RouteRequest<unknown, unknown, unknown> {
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
  readonly user: AuthenticatedUser | undefined;
  readonly context: CommandContext;
  readonly address: string;
  readonly minPosition: bigint | undefined;
  readonly raw: IncomingMessage;
  readonly response: ServerResponse;
  readonly #draining: AbortSignal;
  #signal: AbortSignal | undefined;

  constructor(
    { params, query, body, user, context, address, minPosition, raw, response }: Facts,
    draining: AbortSignal,
  ) {
    this.params = params;
    this.query = query;
    this.body = body;
    this.user = user;
    this.context = context;
    this.address = address;
    this.minPosition = minPosition;
    this.raw = raw;
    this.response = response;
    this.#draining = draining;
  }

  /** Created on first use: most queries are answered from the cache and never need it. */
  get signal(): AbortSignal {
    return (this.#signal ??= requestSignal(this.response, this.#draining));
  }
}

/** Aborts when the client disconnects before its answer is sent, or the server drains. */
function requestSignal(response: ServerResponse, draining: AbortSignal): AbortSignal {
  const controller = new AbortController();
  const drain = (): void => controller.abort(new DOMException('the server is stopping', 'AbortError'));
  if (draining.aborted) drain();
  const forget = onAbort(draining, drain);
  response.once('close', () => {
    forget();
    if (!response.writableFinished) controller.abort(new DOMException('the client has disconnected', 'AbortError'));
  });
  return controller.signal;
}
