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

export function createKnownDevices(secret: string): KnownDevices {
  const sign = (account: string, id: string): Buffer =>
    createHmac('sha256', secret).update(`${account} ${id}`).digest();
  return {
    issue: (account, known) => {
      const id = known ?? randomUUID();
      return `${id}.${sign(account, id).toString('base64url')}`;
    },
    identify: (account, cookie) => {
      const [id = '', signature = ''] = cookie?.split('.', 2) ?? [];
      const [given, right] = [Buffer.from(signature, 'base64url'), sign(account, id)];
      return given.length === right.length && timingSafeEqual(given, right) ? id : undefined;
    },
  };
}
