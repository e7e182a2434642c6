import { ApiError } from '../../api/apiError.ts';

/** What a form says when it failed for another reason than its fields. */
export function messageOf(error: Error): string {
  if (!(error instanceof ApiError)) return 'Something went wrong on this page. Try again.';
  const wait = error.retryAfter;
  return error.status === 429 && wait !== undefined ? `Too many tries. Try again in ${wait} seconds.` : error.message;
}
