import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from '@jest/globals';
import { eventually } from '../../tests/support/eventually.ts';
import { inShell } from '../../tests/support/reelstream.ts';

/** A program with one command, which does this work. */
const program = (work: string): string => `
  import { setTimeout as after } from 'node:timers/promises';
  import { print } from '${import.meta.dirname}/output.ts';
  import { run } from '${import.meta.dirname}/run.ts';
  await run(async (signal) => { ${work} })();
  process.exit();`;

const UNTIL_STOPPED = `await print('started\\n'); await after(60_000, undefined, { signal });`;

async function started(work: string) {
  const child = spawn(process.execPath, ['--input-type=module', '-e', program(work)], {
    env: { PATH: process.env['PATH'] },
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const errors = text(child.stderr);
  let output = '';
  child.stdout.on('data', (part: Buffer) => (output += part.toString()));
  await eventually(() => output.includes('started'), { what: 'the command has started' });
  return { child, ended: async () => ({ code: await ended, output, errors: await errors }) };
}

describe('a stop signal', () => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s: the command cleans up, and ends with %i', async (signal, code) => {
    const { child, ended } = await started(`try { ${UNTIL_STOPPED} } finally { await print('cleaned up\\n'); }`);
    child.kill(signal);
    expect(await ended()).toEqual({ code, output: 'started\ncleaned up\n', errors: '' });
  });

  test('a command that ends without an error after it has the same exit code', async () => {
    const { child, ended } = await started(
      `await (async () => { ${UNTIL_STOPPED} })().catch(() => undefined); return 0;`,
    );
    child.kill('SIGINT');
    expect(await ended()).toMatchObject({ code: 130 });
  });

  test('an error while it cleans up is printed', async () => {
    const { child, ended } = await started(`try { ${UNTIL_STOPPED} } finally { throw new Error('the schema stays'); }`);
    child.kill('SIGINT');
    const { code, errors } = await ended();
    expect(code).toBe(130);
    expect(errors).toContain('the schema stays');
  });

  test('a second one ends it at once', async () => {
    const { child, ended } = await started(`await print('started\\n'); await after(60_000);`);
    const closed = ended();
    let isClosed = false;
    void closed.then(() => (isClosed = true));
    await eventually(() => (child.kill('SIGINT'), isClosed), { within: 9_000, every: 200, what: 'it has ended' });
    expect(await closed).toMatchObject({ code: 130, errors: '' });
  });
});

test('a command without an end ends quietly when nobody reads it any more', async () => {
  const endless = program(`while (!signal.aborted) { await print('line\\n'); await after(1); } return 1;`);
  const { code, output, errors } = await inShell(
    `set -o pipefail; "${process.execPath}" --input-type=module -e "$PROGRAM" | head -n 2`,
    { PROGRAM: endless },
  );
  expect({ code, output, errors }).toEqual({ code: 0, output: 'line\nline\n', errors: '' });
});
