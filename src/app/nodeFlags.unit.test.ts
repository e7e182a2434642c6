import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';

const FLAGS = '--max-semi-space-size=8';
const MALLOC = 'MALLOC_MMAP_THRESHOLD_=4000000';

const read = (file: string): string => readFileSync(`${import.meta.dirname}/../../${file}`, 'utf8');

test('every way to start the program gives Node the same flags and the same environment', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  expect(scripts).toMatchObject({
    start: `exec env ${MALLOC} node ${FLAGS} bin/reelstream.js serve`,
    reelstream: `exec env ${MALLOC} node ${FLAGS} bin/reelstream.js`,
  });
  expect(read('bin/reelstream.js').split('\n')[0]).toBe(`#!/usr/bin/env -S ${MALLOC} node ${FLAGS}`);
  expect(read('Dockerfile')).toContain(` ${MALLOC}\n`);
  expect(read('Dockerfile')).toContain(`ENTRYPOINT ["node", "${FLAGS}", "bin/reelstream.js"]`);
});
