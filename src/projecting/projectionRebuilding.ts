import { DomainError } from '../core/errors.ts';

/** The tables in place cannot answer, and their replacement is being built. A build may take minutes. */
export function projectionRebuilding(): DomainError {
  return new DomainError(
    'unavailable',
    'projection_rebuilding',
    'This view is being rebuilt and cannot answer that yet; try again.',
    { retryAfter: 5 },
  );
}
