import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';

/** AES-256-GCM with a random nonce: 12 bytes nonce, 16 bytes tag, then the ciphertext. Source of the sizes: NIST SP 800-38D. */
const CIPHER = 'aes-256-gcm';
const NONCE = 12;
const TAG = 16;

/** `context` is not encrypted, but the box opens only with the same: it ties the box to its place. */
export function seal(key: Buffer, plain: Buffer, context: string): Buffer {
  const nonce = randomBytes(NONCE);
  const cipher = createCipheriv(CIPHER, key, nonce).setAAD(Buffer.from(context));
  const text = Buffer.concat([cipher.update(plain), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), text]);
}

/** @throws when the key or the context is another, or a bit has changed. */
export function unseal(key: Buffer, box: Buffer, context: string): Buffer {
  const decipher = createDecipheriv(CIPHER, key, box.subarray(0, NONCE), { authTagLength: TAG })
    .setAAD(Buffer.from(context))
    .setAuthTag(box.subarray(NONCE, NONCE + TAG));
  return Buffer.concat([decipher.update(box.subarray(NONCE + TAG)), decipher.final()]);
}

/** A key for one purpose, derived (HKDF-SHA-256) from the master key, so that no key serves two. */
export function subkey(masterKey: Buffer, purpose: string): Buffer {
  if (masterKey.length !== 32) throw new Error(`the master key has ${masterKey.length} bytes, it must have 32`);
  return Buffer.from(hkdfSync('sha256', masterKey, '', `reelstream ${purpose}`, 32));
}

/**
 * A name that stands for a personal value where the value must not be seen (a stream name, a viewer's address): the same
 * value of the same kind always gives the same name, and without the master key nobody can try values out.
 * Normalising the value (NFKC, lower case) is the caller's. 43 characters of base64url.
 */
export function hmacName(masterKey: Buffer, kind: string, value: string): string {
  return createHmac('sha256', subkey(masterKey, `name ${kind}`))
    .update(value)
    .digest('base64url');
}
