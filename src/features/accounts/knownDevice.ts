import { createHmac, randomUUID, timingSafeEqual } from 'node:crypto';

/** The cookie by which a known device is recognised. */
export const DEVICE_COOKIE = 'device';

/**
 * Recognises a device that has logged in to an account before, by a cookie that the server signed then (OWASP, "Slow
 * Down Online Guessing Attacks with Device Cookies"). Nothing is stored. The cookie gives no access.
 */
export interface KnownDevices {
  /** The value of the cookie for a device that has just logged in. A known device keeps its id. */
  issue(account: string, known: string | undefined): string;
  /** The device's id; undefined unless the cookie was issued for this account. */
  identify(account: string, cookie: string | undefined): string | undefined;
}

/** @param secrets the first one signs, all are accepted */
export function createKnownDevices(secrets: () => readonly string[]): KnownDevices {
  const sign = (secret: string, account: string, id: string): Buffer =>
    createHmac('sha256', secret).update(`${account} ${id}`).digest();
  return {
    issue: (account, known) => {
      const id = known ?? randomUUID();
      return `${id}.${sign(secrets()[0]!, account, id).toString('base64url')}`;
    },
    identify: (account, cookie) => {
      const [id = '', signature = ''] = cookie?.split('.', 2) ?? [];
      const given = Buffer.from(signature, 'base64url');
      const isRight = (right: Buffer): boolean => given.length === right.length && timingSafeEqual(given, right);
      return secrets().some((secret) => isRight(sign(secret, account, id))) ? id : undefined;
    },
  };
}
