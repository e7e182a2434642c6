import { DomainError } from './errors.ts';

/** Each user's own key (32 bytes). It encrypts the user's personal data in the log. */
export interface UserKeys {
  /** One key for each user. A missing key is made, and stored durably before it is returned. @throws UserForgotten */
  forSealing(userIds: readonly string[]): Promise<ReadonlyMap<string, Buffer>>;
  /** One key for each user, `undefined` for a user who has been forgotten. @throws UnknownUserKey */
  forOpening(userIds: readonly string[]): Promise<ReadonlyMap<string, Buffer | undefined>>;
}

/** The keys, where they are stored. */
export interface UserKeyStore extends UserKeys {
  /**
   * Deletes a user's key for good, so that nothing opens what it sealed. A tombstone stays. This process knows at once, others
   * within the time for which they keep keys in memory. It is safe to repeat.
   */
  forget(userId: string): Promise<void>;
}

/** Somebody tried to write personal data of a user who has been forgotten. */
export class UserForgotten extends DomainError {
  constructor() {
    super('notFound', 'user_forgotten', 'This account no longer exists.');
    this.name = 'UserForgotten';
  }
}

/**
 * The log holds personal data of a user who has neither a key nor a tombstone. This is an error, and never read as
 * "forgotten": that would silently put the loss into every read model.
 */
export class UnknownUserKey extends Error {
  constructor(userId: string) {
    super(
      `there is no key for user ${userId}, and no record that the user was forgotten. ` +
        'Does the table reelstream.user_keys belong to this event log?',
    );
    this.name = 'UnknownUserKey';
  }
}

const WRONG: Readonly<Record<'foreign' | 'earlier' | 'incomplete', string>> = {
  foreign:
    'DATA_KEY is not the key with which this database was set up, so its personal data cannot be read. Set DATA_KEY to the original value.',
  earlier:
    'DATA_KEY was replaced by another key (reelstream keys rotate data). Set DATA_KEY to the new value, as in the other processes.',
  incomplete:
    'some keys of users are still encrypted with the DATA_KEY before this one. Put that one into DATA_KEY_ACCEPTED until "reelstream keys rotate data" has completed.',
};

/** This process does not have the master keys that encrypt the users' keys. */
export class WrongMasterKey extends Error {
  constructor(why: keyof typeof WRONG) {
    super(WRONG[why]);
    this.name = 'WrongMasterKey';
  }
}
