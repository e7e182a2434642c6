import { DomainError } from './errors.ts';

/** Each user's own key (32 bytes), under which that user's personal data lies in the log. */
export interface UserKeys {
  /** One key each, made if there was none; durable before it is given. @throws UserForgotten */
  forSealing(userIds: readonly string[]): Promise<ReadonlyMap<string, Buffer>>;
  /** One key each, or `undefined` for a user who has been forgotten. @throws UnknownUserKey */
  forOpening(userIds: readonly string[]): Promise<ReadonlyMap<string, Buffer | undefined>>;
}

/** Personal data was to be written for a user who has been forgotten. */
export class UserForgotten extends DomainError {
  constructor() {
    super('notFound', 'user_forgotten', 'This account no longer exists.');
    this.name = 'UserForgotten';
  }
}

/**
 * The log holds personal data of a user of whom there is neither a key nor a tombstone. Never taken for "forgotten":
 * that would quietly write the loss into every read model.
 */
export class UnknownUserKey extends Error {
  constructor(userId: string) {
    super(
      `there is no key for user ${userId}, and no note that the user was forgotten: ` +
        'is the table reelstream.user_keys the one that belongs to this event log?',
    );
    this.name = 'UnknownUserKey';
  }
}

/** The master key is not the one that wrapped the users' keys. */
export class WrongMasterKey extends Error {
  constructor() {
    super(
      'DATA_KEY is not the key that this database was set up with: the personal data in it cannot be read. Set DATA_KEY to the original value.',
    );
    this.name = 'WrongMasterKey';
  }
}
