import { declaredApiRoutes } from '../../src/app/declaredRoutes.ts';
import { errorBody } from '../../src/http/documents/openapiErrors.ts';

/** An answer of the API, with its envelope. */
interface CameBack {
  readonly status: number;
  /** Undefined when the answer was not JSON. */
  readonly body: { readonly success?: boolean; readonly statusCode?: number; readonly data?: unknown } | undefined;
}

// The route with the fewest parameters comes first: `POST /video/upload` is not `POST /video/:videoId`.
const routes = declaredApiRoutes()
  .map(({ method, path, operationId, responses }) => ({
    method: method.toUpperCase(),
    path: new RegExp(`^${path.replaceAll(/:\w+/g, '[^/]+')}/?$`),
    parameters: path.split(':').length,
    operationId,
    responses,
  }))
  .sort((one, other) => one.parameters - other.parameters);

/**
 * Compares an answer with what its route declares: the status, the envelope, and the schema of `data`, or of a body without an
 * envelope. A path that no
 * feature declares is not checked. @throws when they differ.
 */
export function checkAnswer(method: string, path: string, { status, body }: CameBack): void {
  const pathname = path.replace(/[?#].*$/, '');
  const route = routes.find((each) => each.method === method && each.path.test(pathname));
  if (route === undefined || status === 304) return;
  const differs = (how: string, cause?: unknown): Error =>
    new Error(`${route.operationId} answered ${status}, ${how}: ${JSON.stringify(body)}`, { cause });
  if (status >= 400) {
    const { error } = errorBody.safeParse(body);
    if (error !== undefined) throw differs(`and its body is no failure (${error.message})`, error);
    return;
  }
  const declared = route.responses[status];
  if (declared === undefined) throw differs('which its route does not declare');
  if (status === 204) return;
  if (body === undefined && declared.also !== undefined) return;
  if (declared.body !== undefined) {
    const { error } = declared.body.safeParse(body);
    if (error !== undefined) throw differs(`and it breaks its schema (${error.message})`, error);
    return;
  }
  if (body?.success !== true || body.statusCode !== status) throw differs('and its envelope does not say so');
  const result = declared.data?.safeParse(body.data);
  if (result?.error !== undefined)
    throw differs(`and its data breaks its schema (${result.error.message})`, result.error);
}
