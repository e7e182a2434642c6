import { createHmac, timingSafeEqual } from 'node:crypto';
import { isKey, PRIVATE_PREFIX } from './keys.ts';

/** Signs the paths of private objects. Whoever has a signed path may fetch every object of its video until it ends. */
export interface SignedPaths {
  /**
   * `private/<expires>.<signature>/<videoId>/<name>` for the key `private/<videoId>/<name>`. It works for 55 to 60 minutes.
   * Within five minutes, it is the same each time, so that the answers that contain it are the same too. A name that a
   * playlist mentions relative to its own URL is signed as well.
   */
  sign(key: string): string;
  /** What a path leads to. */
  open(path: string): OpenedPath;
}

export type OpenedPath =
  | { readonly status: 'signed'; readonly key: string; readonly secondsLeft: number }
  /** It was signed, and has ended. */
  | { readonly status: 'ended' }
  | { readonly status: 'unsigned' };

export interface SignedPathsOptions {
  /** The first one signs, all are accepted. All processes of an installation have the same. */
  readonly secrets: () => readonly string[];
  /** Milliseconds since 1970. */
  readonly clock?: () => number;
}

/** The most seconds for which a signed path works. */
export const LONGEST_SIGNED = 3_600;
/** Seconds. */
const STEP = 300;
/** Segments: expires, signature, folder, name. */
const SIGNED = /^(\d{1,12})\.([\w-]{43})\/([\w-]+)\/(.+)$/;

export function createSignedPaths({ secrets, clock = Date.now }: SignedPathsOptions): SignedPaths {
  const now = (): number => Math.floor(clock() / 1_000);
  const signatureOf = (secret: string, expires: number | string, folder: string): string =>
    createHmac('sha256', secret).update(`${expires}/${folder}`).digest('base64url');
  const isRight = (signature: string, expires: string, folder: string): boolean =>
    secrets().some((secret) =>
      timingSafeEqual(Buffer.from(signature), Buffer.from(signatureOf(secret, expires, folder))),
    );

  return {
    sign(key) {
      const [folder, ...name] = key.slice(PRIVATE_PREFIX.length).split('/');
      if (!key.startsWith(PRIVATE_PREFIX) || folder === undefined || name.length === 0)
        throw new TypeError(`${key} is not the key of a private object`);
      const expires = Math.floor(now() / STEP) * STEP + LONGEST_SIGNED;
      return `${PRIVATE_PREFIX}${expires}.${signatureOf(secrets()[0]!, expires, folder)}/${folder}/${name.join('/')}`;
    },
    open(path) {
      const parts = path.startsWith(PRIVATE_PREFIX) && isKey(path) && SIGNED.exec(path.slice(PRIVATE_PREFIX.length));
      if (!parts) return { status: 'unsigned' };
      const [, expires, signature, folder, name] = parts as unknown as [string, string, string, string, string];
      if (!isRight(signature, expires, folder)) return { status: 'unsigned' };
      const secondsLeft = Number(expires) - now();
      return secondsLeft > 0
        ? { status: 'signed', key: `${PRIVATE_PREFIX}${folder}/${name}`, secondsLeft }
        : { status: 'ended' };
    },
  };
}
