import { expect, test } from '@jest/globals';
import { v7 } from 'uuid';
import { cursorBehind, videoBefore } from './cursor.ts';

test('a cursor leads back to the video that it stands behind', () => {
  const id = v7();
  expect(videoBefore(cursorBehind(id))).toBe(id);
});

test.each(['x', 'AAAA', `${cursorBehind(v7())}A`, `${cursorBehind(v7())}=`, v7(), '../../etc/passwd', `${cursorBehind(v7()).slice(0, 21)}!`])(
  '%p is no cursor',
  (cursor) => {
    expect(() => videoBefore(cursor)).toThrow(expect.objectContaining({ kind: 'invalid', fields: [expect.objectContaining({ path: 'cursor' })] }));
  },
);
