import { argon2, randomBytes, timingSafeEqual, type Argon2Parameters } from 'node:crypto';
import pLimit from 'p-limit';
import { DomainError } from '../../core/errors.ts';

/** Hashes and checks passwords with argon2id, a few at a time. */
export interface Passwords {
  /** A PHC string. @throws DomainError `busy` */
  hash(password: string): Promise<string>;
  /** Takes the same time whether or not there is a hash to compare with. @throws DomainError `busy` */
  verify(password: string, hash: string | undefined): Promise<boolean>;
}

export interface PasswordOptions {
  /** Hashes computed at a time; 2 by default, which leaves two of Node's four threads for files and DNS. */
  readonly concurrency?: number;
  /** Most that wait; 100 by default. More would wait longer than a client does. */
  readonly mostWaiting?: number;
}

interface Cost {
  /** KiB. */
  readonly memory: number;
  readonly passes: number;
  readonly parallelism: number;
}

/** OWASP Password Storage Cheat Sheet: 19 MiB, two passes, one lane. */
const COST: Cost = { memory: 19_456, passes: 2, parallelism: 1 };
const SALT_BYTES = 16;
const HASH_BYTES = 32;
/** No password has this hash. Checking against it takes as long as a real check. */
const DUMMY_HASH = { cost: COST, salt: Buffer.alloc(SALT_BYTES), hash: Buffer.alloc(HASH_BYTES) };

export function createPasswords({ concurrency = 2, mostWaiting = 100 }: PasswordOptions = {}): Passwords {
  const limit = pLimit(concurrency);
  const inTurn = async <T>(work: () => Promise<T>): Promise<T> => {
    if (limit.activeCount + limit.pendingCount >= concurrency + mostWaiting)
      throw new DomainError('unavailable', 'busy', 'Too many people are logging in at this moment; try again.', {
        retryAfter: 1,
      });
    return limit(work);
  };
  return {
    async hash(password) {
      const salt = randomBytes(SALT_BYTES);
      const hash = await inTurn(() => derive(password, salt, COST, HASH_BYTES));
      return `$argon2id$v=19$m=${COST.memory},t=${COST.passes},p=${COST.parallelism}$${unpadded(salt)}$${unpadded(hash)}`;
    },
    async verify(password, stored) {
      const { cost, salt, hash } = parse(stored) ?? DUMMY_HASH;
      const found = await inTurn(() => derive(password, salt, cost, hash.length));
      return timingSafeEqual(found, hash) && stored !== undefined;
    },
  };
}

function derive(
  password: string,
  nonce: Buffer,
  { memory, passes, parallelism }: Cost,
  tagLength: number,
): Promise<Buffer> {
  // The same password typed on another keyboard may consist of other code points.
  const parameters: Argon2Parameters = {
    message: password.normalize('NFKC'),
    nonce,
    memory,
    passes,
    parallelism,
    tagLength,
  };
  return new Promise((resolve, reject) => {
    argon2('argon2id', parameters, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}

/** Undefined when it is not an argon2id hash, as for a forgotten user. */
function parse(phc: string | undefined): { cost: Cost; salt: Buffer; hash: Buffer } | undefined {
  const found = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/.exec(phc ?? '');
  if (found === null) return undefined;
  const [, memory, passes, parallelism, salt = '', hash = ''] = found;
  const cost = { memory: Number(memory), passes: Number(passes), parallelism: Number(parallelism) };
  return { cost, salt: Buffer.from(salt, 'base64'), hash: Buffer.from(hash, 'base64') };
}

function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '');
}
