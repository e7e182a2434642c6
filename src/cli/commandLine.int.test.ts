import { describe, expect, test } from '@jest/globals';
import { inShell, reelstream } from '../../tests/support/reelstream.ts';

test('openapi prints the document and nothing else', async () => {
  const { code, output, errors } = await reelstream('openapi');
  expect([code, errors]).toEqual([0, '']);
  expect(JSON.parse(output)).toMatchObject({ openapi: '3.1.0', info: { title: 'ReelStream' } });
});

test('openapi ends without an error when its reader closes the pipe', async () => {
  const { code, output, errors } = await inShell('set -o pipefail; npm run -s reelstream -- openapi | head -c 100');
  expect([code, output.length, errors]).toEqual([0, 100, '']);
});

describe('help', () => {
  test.each(['help', '--help', '-h'])('%s shows all commands, an example and the exit codes', async (argument) => {
    const { code, output, errors } = await reelstream(argument);
    expect([code, errors]).toEqual([0, '']);
    for (const part of ['projections', 'npm run -s reelstream -- openapi > openapi.json', 'Exit codes:', '130, 143'])
      expect(output).toContain(part);
  });

  test.each([
    'projections rebuild --help',
    'projections rebuild videos -h',
    'projections help rebuild',
    'help projections rebuild',
  ])('%s shows the help of one command', async (line) => {
    const { code, output, errors } = await reelstream(line);
    expect([code, errors]).toEqual([0, '']);
    expect(output).toMatch(/^Usage: npm run -s reelstream -- projections rebuild /);
  });
});

describe('a wrong command line', () => {
  test.each([
    ['projctions', '(Did you mean projections?)'],
    ['projections lst', '(Did you mean list?)'],
    ['projections list --jsn', '(Did you mean --json?)'],
    ['projections rebuild', 'missing required argument'],
    ['projections rebuild nothing', 'The projections are accounts, '],
    ['openapi too much', 'too many arguments'],
    ['completion csh', 'Allowed choices are bash, zsh, fish'],
    ['serve --port 3000', "unknown option '--port'"],
  ])('%s: exit code 2, and a message on standard error that says what is expected', async (line, message) => {
    const { code, output, errors } = await reelstream(line);
    expect([code, output]).toEqual([2, '']);
    expect(errors).toContain(message);
    expect(errors).toContain('--help');
    expect(errors).not.toMatch(/\n +at /);
  });

  test('a group without a command: its help on standard error', async () => {
    const { code, output, errors } = await reelstream('projections');
    expect([code, output]).toEqual([2, '']);
    expect(errors).toContain('verify [options] [projection]');
  });
});

test('a setting that cannot work: exit code 1 and a sentence', async () => {
  const { code, output, errors } = await reelstream('projections list', { DATABASE_URL: 'nonsense' });
  expect([code, output]).toEqual([1, '']);
  expect(errors).toMatch(/^DATABASE_URL [^\n]*\n$/);
});
