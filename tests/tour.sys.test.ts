import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect } from '@jest/globals';
import { freePorts } from './support/freePorts.ts';
import { useSystem } from './support/useSystem.ts';

const { system, systemTest } = useSystem({ ofEach: 1 });
const root = new URL('..', import.meta.url).pathname;
/** The commands below a heading of the README. */
const readme = (heading: string): string =>
  new RegExp(`^## ${heading}$[^]*?^\`\`\`sh\\n([^]*?)^\`\`\`$`, 'm').exec(
    readFileSync(`${root}README.md`, 'utf8'),
  )?.[1] ?? '';

function run(commands: string, url: string): Promise<{ code: number; output: string; error: string }> {
  return new Promise((resolve) => {
    execFile(
      'sh',
      ['-euc', commands],
      { cwd: root, env: { PATH: process.env['PATH'], URL: url } },
      (error, output, said) => {
        resolve({ code: error === null ? 0 : Number(error.code), output, error: said });
      },
    );
  });
}

systemTest(
  'the tour of the README works, again and again, and its output can be read',
  async () => {
    expect(readme('A first tour')).toBe('examples/tour.sh\n');
    for (let time = 0; time < 2; time += 1) {
      const { code, output, error } = await run(readme('A first tour'), system().api());
      expect({ code, error }).toEqual({ code: 0, error: '' });
      expect(output.match(/^── /gm)).toHaveLength(8);
      expect(output.match(/^curl /gm)).toHaveLength(7);
      expect(output.match(/^ {2}"success": true,$/gm)).toHaveLength(7);
      for (const line of ['    "likeStatus": true', '    "totalUploads": 1,', '    "status": "ready"'])
        expect(output).toContain(line);
    }
  },
  120_000,
);

systemTest('without a server the tour says what to do', async () => {
  const [port] = await freePorts(1);
  const { code, error } = await run(readme('A first tour'), `http://127.0.0.1:${port}`);
  expect(code).toBe(1);
  expect(error).toContain('Start ReelStream (npm start)');
});
