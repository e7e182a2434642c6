import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';

const FLAGS = '--max-semi-space-size=8';

const read = (file: string): string => readFileSync(`${import.meta.dirname}/../../${file}`, 'utf8');

test('every way to start the program gives Node the same flags', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  expect(scripts).toMatchObject({
    start: `exec node ${FLAGS} bin/reelstream.js serve`,
    reelstream: `exec node ${FLAGS} bin/reelstream.js`,
  });
  expect(read('bin/reelstream.js').split('\n')[0]).toBe(`#!/usr/bin/env -S node ${FLAGS}`);
  expect(read('Dockerfile')).toContain(`ENTRYPOINT ["node", "${FLAGS}", "bin/reelstream.js"]`);
});
