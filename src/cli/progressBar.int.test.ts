import { spawnSync } from 'node:child_process';
import { expect, test } from '@jest/globals';
import { inShell } from '../../tests/support/reelstream.ts';

const PROGRAM = `
  import { setTimeout as after } from 'node:timers/promises';
  import { createLogger } from '${import.meta.dirname}/../telemetry/logger.ts';
  import { createProgressBar } from '${import.meta.dirname}/progressBar.ts';
  const logger = createLogger({ level: 'warn', role: 'test', destination: process.stderr });
  try {
    using bar = createProgressBar();
    for (let step = 0; step <= 100; step++) {
      bar.show(step / 100, 'videos, ' + step + ' events with a text that is longer than the terminal is wide, by far');
      if (step === 20) logger.warn('a log line');
      if (step === 40) console.log('a result');
      if (step === 60) process.stderr.write('one ');
      if (step === 70) process.stderr.write('sentence\\n');
      await after(3);
      if (step === 90) throw new Error('failed');
    }
  } catch (error) {
    console.error(error.message);
  }`;
const COMMAND = `"${process.execPath}" --input-type=module -e "$PROGRAM"`;

const hasScript = spawnSync('script', ['--version']).status === 0;
if (!hasScript) process.stderr.write('SKIPPED: the progress bar on a terminal, because "script" is not installed\n');

(hasScript ? test : test.skip)(
  'on a terminal, one line is rewritten, and what is printed appears above it',
  async () => {
    const { output } = await inShell(`script -qec 'stty cols 70; ${COMMAND}' /dev/null`, { PROGRAM });
    const lines = screen(output);
    expect(lines[0]).toContain('"msg":"a log line"');
    expect(lines.slice(1, 3)).toEqual(['a result', 'one sentence']);
    expect(lines[3]).toMatch(/^\[#{27}\.{3}\] 90 % videos, 90 events with a text/);
    expect(lines[3]).toHaveLength(70);
    expect(lines.slice(4)).toEqual(['failed', '']);
  },
);

test('without a terminal, a line is printed for each tenth', async () => {
  const { output, errors } = await inShell(COMMAND, { PROGRAM });
  expect(output).toBe('a result\n');
  const lines = errors.split('\n').filter((line) => line.includes(' % '));
  expect(lines.map((line) => /\d+ %/.exec(line)?.[0])).toEqual(
    [0, 10, 20, 30, 40, 50, 60, 70, 80, 90].map((n) => `${n} %`),
  );
  expect(errors).toContain('"msg":"a log line"');
  expect(errors.trimEnd()).toMatch(/\nfailed$/);
});

/** The lines that a terminal shows after this output. It understands what cli-progress and readline send. */
function screen(output: string): string[] {
  const lines = [''];
  let column = 0;
  for (const [part] of output.matchAll(/\x1b\[\d*[A-Za-z]|\r|\n|[^\x1b\r\n]+/g)) {
    const row = lines.length - 1;
    if (part === '\n') lines.push('');
    else if (part === '\r' || part === '\x1b[1G') column = 0;
    else if (part === '\x1b[0K') lines[row] = lines[row]!.slice(0, column);
    else if (part === '\x1b[2K') lines[row] = '';
    else if (part.startsWith('\x1b')) throw new Error(`unknown sequence ${JSON.stringify(part)}`);
    else {
      lines[row] = lines[row]!.slice(0, column).padEnd(column) + part + lines[row]!.slice(column + part.length);
      column += part.length;
    }
  }
  return lines;
}
