import { createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto';
import { z } from 'zod';

const FORMAT = 'reelstream-seal-1';

const sealSchema = z.strictObject({
  format: z.literal(FORMAT),
  /** The id of the first event, which tells logs apart. */
  log: z.uuid(),
  /** Of the last event that is sealed. A copy of the log in another store may have it at another position. */
  position: z.string().regex(/^\d{1,20}$/),
  /** When the seal was made. */
  time: z.iso.datetime(),
  events: z.int().positive(),
  digest: z.string().regex(/^[0-9a-f]{64}$/),
  /** Of the key that signed, in base64url (RFC 8037). */
  publicKey: z.string().regex(/^[\w-]{43}$/),
  signature: z.base64url(),
});

/** The signed head of a log: what its first `events` events were at a time. */
export type Seal = z.infer<typeof sealSchema>;

/** @param seed 32 bytes: the Ed25519 key (RFC 8032) */
export function makeSeal(head: Omit<Seal, 'format' | 'publicKey' | 'signature'>, seed: Buffer): Seal {
  const key = privateKey(seed);
  const unsigned = { format: FORMAT, ...head, publicKey: publicKeyOf(seed) } as const;
  return { ...unsigned, signature: sign(null, signedText(unsigned), key).toString('base64url') };
}

/** Undefined when the text is no seal. */
export function parseSeal(text: string): Seal | undefined {
  try {
    return sealSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Whether the owner of this public key made the seal. The key that the seal names proves nothing. */
export function isSignedBy(seal: Seal, publicKey: string): boolean {
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: publicKey }, format: 'jwk' });
  return verify(null, signedText(seal), key, Buffer.from(seal.signature, 'base64url'));
}

export function publicKeyOf(seed: Buffer): string {
  return createPublicKey(privateKey(seed)).export({ format: 'jwk' }).x!;
}

function signedText({ format, log, position, time, events, digest }: Omit<Seal, 'signature'>): Buffer {
  return Buffer.from([format, log, position, time, events, digest].join('\n'));
}

/** The beginning of an Ed25519 key in PKCS #8 (RFC 8410, section 7). The 32 bytes of the key follow. */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');

function privateKey(seed: Buffer): KeyObject {
  return createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' });
}
