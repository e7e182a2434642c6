import { expect, test } from '@jest/globals';
import { v7 } from 'uuid';
import { CURSOR, cursorBehind, videoBefore } from './cursor.ts';

test('a cursor leads back to the video that it stands behind', () => {
  const id = v7();
  expect(cursorBehind(id)).toMatch(CURSOR);
  expect(videoBefore(cursorBehind(id))).toBe(id);
});

test.each([
  'x',
  'AAAA',
  `${cursorBehind(v7())}A`,
  `${cursorBehind(v7())}=`,
  v7(),
  '../../etc/passwd',
  `${cursorBehind(v7()).slice(0, 21)}!`,
  `${'A'.repeat(21)}B`,
])('%p is no cursor', (text) => {
  expect(text).not.toMatch(CURSOR);
});
