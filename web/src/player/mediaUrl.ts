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
