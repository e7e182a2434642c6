import { expect, test } from '@jest/globals';
import { revisionWanted, videoEtag } from './etag.ts';

test.each([
  [videoEtag(3), 3],
  [videoEtag(3, 'Zm9v-_bar'), 3],
  [`W/${videoEtag(0, 'x')}`, 0],
  [` ${videoEtag(12)} `, 12],
  ['*', undefined],
  [undefined, undefined],
])('If-Match %p wants revision %p', (header, revision) => {
  expect(revisionWanted(header)).toBe(revision);
});

test.each(['', '3', '"x"', '"-1"', '"3', '"1", "2"', '"3-a", "4"', '"12345678901"'])(
  'If-Match %p is one that no video ever had',
  (header) => {
    expect(() => revisionWanted(header)).toThrow(expect.objectContaining({ kind: 'preconditionFailed' }));
  },
);
