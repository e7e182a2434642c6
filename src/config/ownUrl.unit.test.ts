import { expect, test } from '@jest/globals';
import { ownUrl } from './ownUrl.ts';

test.each([
  [undefined, 'http://localhost:3000'],
  ['0.0.0.0', 'http://localhost:3000'],
  ['::', 'http://localhost:3000'],
  ['192.0.2.7', 'http://192.0.2.7:3000'],
  ['::1', 'http://[::1]:3000'],
  ['reels.internal', 'http://reels.internal:3000'],
])('a server on %s is found at %s', (host, url) => {
  expect(ownUrl(host, 3000)).toBe(url);
  expect(new URL(url).href).toBe(`${url}/`);
});
