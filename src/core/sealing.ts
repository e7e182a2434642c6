import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';

/**
 * AES-256-GCM with a random nonce. A box is 12 bytes nonce, 16 bytes tag and the ciphertext. Source of the sizes: NIST
 * SP 800-38D.
 */
const CIPHER = 'aes-256-gcm';
const NONCE = 12;
const TAG = 16;

/**
 * Encrypts `plain`. The box opens only with the same `context`, which is not encrypted: so it cannot be used elsewhere.
 */
export function seal(key: Buffer, plain: Buffer, context: string): Buffer {
  const nonce = randomBytes(NONCE);
  const cipher = createCipheriv(CIPHER, key, nonce).setAAD(Buffer.from(context));
  const text = Buffer.concat([cipher.update(plain), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), text]);
}

/** Opens a box. @throws when the key or the context differs, or the box was changed. */
export function unseal(key: Buffer, box: Buffer, context: string): Buffer {
  const decipher = createDecipheriv(CIPHER, key, box.subarray(0, NONCE), { authTagLength: TAG })
    .setAAD(Buffer.from(context))
    .setAuthTag(box.subarray(NONCE, NONCE + TAG));
  return Buffer.concat([decipher.update(box.subarray(NONCE + TAG)), decipher.final()]);
}

/** Derives a key for one purpose from the master key (HKDF-SHA-256), so that no key serves two purposes. */
export function subkey(masterKey: Buffer, purpose: string): Buffer {
  if (masterKey.length !== 32) throw new Error(`the master key has ${masterKey.length} bytes, it must have 32`);
  return Buffer.from(hkdfSync('sha256', masterKey, '', `reelstream ${purpose}`, 32));
}

/** A secret that signs, for one use, as text. It follows from the master key. */
export function secretFor(masterKey: Buffer, use: string): string {
  return createHmac('sha256', subkey(masterKey, `name ${use}`)).digest('base64url');
}
