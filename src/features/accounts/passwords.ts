import { argon2, randomBytes, timingSafeEqual, type Argon2Parameters } from 'node:crypto';
import { DomainError } from '../../core/errors.ts';

/** Hashes and checks passwords with argon2id, a few at a time. */
export interface Passwords {
  /** A PHC string. @throws DomainError `busy` */
  hash(password: string): Promise<string>;
  /** Takes the same time whether or not there is a hash to compare with. @throws DomainError `busy` */
  verify(password: string, hash: string | undefined): Promise<boolean>;
}

export interface PasswordOptions {
  /** Computed at once; 2 by default, so that Node's four threads keep two for files and names. */
  readonly concurrency?: number;
  /** Waiting at most; 100 by default. More would wait longer than a client does. */
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
/** No password has this hash. Checking against it costs what a real check costs. */
const NOBODY = { cost: COST, salt: Buffer.alloc(SALT_BYTES), hash: Buffer.alloc(HASH_BYTES) };

export function createPasswords({ concurrency = 2, mostWaiting = 100 }: PasswordOptions = {}): Passwords {
  const inTurn = turnstile(concurrency, mostWaiting);
  return {
    async hash(password) {
      const salt = randomBytes(SALT_BYTES);
      const hash = await inTurn(() => derive(password, salt, COST, HASH_BYTES));
      return `$argon2id$v=19$m=${COST.memory},t=${COST.passes},p=${COST.parallelism}$${unpadded(salt)}$${unpadded(hash)}`;
    },
    async verify(password, stored) {
      const { cost, salt, hash } = parse(stored) ?? NOBODY;
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
  // The same password typed on another keyboard may be other code points.
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

/** Undefined for what is no argon2id hash, such as that of a forgotten user. */
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

function turnstile(concurrency: number, mostWaiting: number): <T>(work: () => Promise<T>) => Promise<T> {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (running >= concurrency) {
      if (waiting.length >= mostWaiting) {
        throw new DomainError('unavailable', 'busy', 'Too many people are logging in at this moment; try again.', {
          retryAfter: 1,
        });
      }
      await new Promise<void>((resolve) => waiting.push(resolve));
    } else {
      running += 1;
    }
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      // The place goes to the next in line; it is free only when nobody waits.
      if (next === undefined) running -= 1;
      else next();
    }
  };
}
