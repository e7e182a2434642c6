const MEDIA = '/media/';

/**
 * The address of a file for this page. A server that was started without a public name calls itself `localhost`; somebody who
 * opens it from another machine, or as 127.0.0.1, gets its files from where the page came.
 */
export function mediaUrl(url: string): string {
  const { hostname, pathname, search } = new URL(url, location.origin);
  const isElsewhere = hostname === 'localhost' && location.hostname !== 'localhost';
  return isElsewhere && pathname.startsWith(MEDIA) ? `${location.origin}${pathname}${search}` : url;
}

/** When a signed address ends, and its signature. */
const SIGNATURE = /\/\d+\.[\w-]{43}(?=\/)/;

/** Only who has the address gets the file, and only for an hour. */
export function isSigned(url: string): boolean {
  return SIGNATURE.test(new URL(url, location.origin).pathname);
}

/** The path of a file, the same in every address of it. */
export function withoutSignature(url: string): string {
  return new URL(url, location.origin).pathname.replace(SIGNATURE, '');
}
