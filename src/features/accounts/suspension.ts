import { DomainError } from '../../core/errors.ts';
import type { RegisteredUser } from './decider.ts';

export function accountSuspended({ reason, at }: NonNullable<RegisteredUser['suspended']>): DomainError {
  return new DomainError(
    'forbidden',
    'account_suspended',
    `This account has been suspended since ${at.slice(0, 10)}. The reason: ${reason}`,
  );
}
