/** The body of every failed answer. */
export interface ErrorBody {
  readonly message?: string;
  readonly code?: string;
  readonly errorMessages?: readonly { readonly path: string; readonly message: string }[];
  readonly requestId?: string;
}

/** The server refused a request, or could not be reached. `message` is for the reader of the page. */
export class ApiError extends Error {
  /** 0 when there was no answer. */
  readonly status: number;
  /** Stable, such as `email_taken`; `unreachable` when there was no answer. */
  readonly code: string;
  /** The first message about each field. */
  readonly fields: Readonly<Record<string, string>>;
  readonly requestId: string | undefined;
  /** Seconds after which another try makes sense. */
  readonly retryAfter: number | undefined;

  private constructor(
    message: string,
    facts: Pick<ApiError, 'status' | 'code' | 'fields' | 'requestId' | 'retryAfter'>,
    cause?: unknown,
  ) {
    super(message, { cause });
    this.name = 'ApiError';
    this.status = facts.status;
    this.code = facts.code;
    this.fields = facts.fields;
    this.requestId = facts.requestId;
    this.retryAfter = facts.retryAfter;
  }

  static of(response: Response, body: ErrorBody | undefined): ApiError {
    const fields: Record<string, string> = {};
    for (const { path, message } of body?.errorMessages ?? []) fields[path] ??= message;
    return new ApiError(body?.message ?? `The server answered with status ${response.status}.`, {
      status: response.status,
      code: body?.code ?? `status_${response.status}`,
      fields,
      requestId: body?.requestId ?? response.headers.get('X-Request-Id') ?? undefined,
      retryAfter: Number(response.headers.get('Retry-After')) || undefined,
    });
  }

  static unreachable(cause: unknown): ApiError {
    const message = navigator.onLine ? 'The server cannot be reached.' : 'You are offline.';
    return new ApiError(
      message,
      { status: 0, code: 'unreachable', fields: {}, requestId: undefined, retryAfter: undefined },
      cause,
    );
  }

  /** Whether the same request may succeed later without a change. */
  get isPassing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}
