import { DomainError } from '../../core/errors.ts';

/** Positions are `bigint` in PostgreSQL. */
const LARGEST_POSITION = 2n ** 63n - 1n;

/** Reads `X-Min-Position`. @throws DomainError when it is not a position. */
export function parseMinPosition(header: string | string[] | undefined): bigint | undefined {
  if (header === undefined) return undefined;
  const position = typeof header === 'string' && /^\d{1,19}$/.test(header) ? BigInt(header) : undefined;
  if (position === undefined || position > LARGEST_POSITION) {
    throw new DomainError(
      'invalid',
      'invalid_min_position',
      'X-Min-Position must be a position as X-Event-Position gave it.',
    );
  }
  return position;
}
