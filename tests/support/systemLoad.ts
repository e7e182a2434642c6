import { Agent, request } from 'node:http';

/** How a request ended for its client. */
export type Outcome =
  | { readonly kind: 'answered'; readonly status: number }
  /** No process listened, so the request was not accepted. */
  | { readonly kind: 'refused' }
  /** The request was accepted, and then the connection broke. */
  | { readonly kind: 'cut'; readonly error: string };

/** A client that keeps one connection. It sends the next request after the answer to the last one. */
export class PersistentClient {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });

  send(base: string, method: string, path: string, headers: Readonly<Record<string, string>>): Promise<Outcome> {
    return new Promise((resolve) => {
      const sent = request(
        new URL(path, base),
        { method, agent: this.#agent, headers: { 'content-length': '0', ...headers } },
        (response) => {
          response.resume();
          response.once('end', () => resolve({ kind: 'answered', status: response.statusCode! }));
          response.once('error', (error) =>
            resolve({ kind: 'cut', error: `in the middle of the answer: ${error.message}` }),
          );
        },
      );
      sent.setTimeout(30_000, () => sent.destroy(new Error('no answer within 30 s')));
      sent.once('error', (error: NodeJS.ErrnoException) =>
        resolve(
          error.code === 'ECONNREFUSED'
            ? { kind: 'refused' }
            : { kind: 'cut', error: `${error.code ?? ''} ${error.message}` },
        ),
      );
      sent.end();
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}
