import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { expect, test } from '@jest/globals';
import { noSettings } from '../../tests/support/noSettings.ts';

/** Runs `npm run -s reelstream -- <command> <rest>` in a shell. */
async function reelstream(
  command: string,
  rest = '',
): Promise<{ code: number | null; output: string; errors: string }> {
  const env = {
    ...process.env,
    ...noSettings,
    PATH: `${process.execPath.replace(/\/[^/]+$/, '')}:${process.env['PATH']}`,
  };
  const child = spawn('sh', ['-c', `npm run -s reelstream -- ${command} ${rest}`], {
    cwd: `${import.meta.dirname}/../..`,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [output, errors, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, output, errors };
}

test('openapi prints the document and nothing else', async () => {
  const { code, output, errors } = await reelstream('openapi');
  expect([code, errors]).toEqual([0, '']);
  expect(JSON.parse(output)).toMatchObject({ openapi: '3.1.0', info: { title: 'ReelStream' } });
});

test('openapi ends without an error when its reader closes the pipe', async () => {
  const { output, errors } = await reelstream('openapi', '| head -c 100');
  expect([output.length, errors]).toEqual([100, '']);
});

test('help shows how to save the document', async () => {
  expect((await reelstream('help')).output).toContain('npm run -s reelstream -- openapi > openapi.json');
});
