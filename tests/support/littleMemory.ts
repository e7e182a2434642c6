import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { plainSandbox, type Sandbox } from '../../src/media/ffmpeg/sandbox.ts';
import { testTools } from './clips.ts';

const run = promisify(execFile);
const MEGABYTE = 1024 ** 2;

/**
 * A sandbox in which a program has 16 MB of memory left after its start. Its libraries take 20 to 300 MB, depending on
 * the build.
 */
export async function littleMemory(name: 'ffmpeg' | 'ffprobe'): Promise<Sandbox> {
  const { path } = (await testTools())[name];
  const starts = (megabytes: number): Promise<boolean> => {
    const { file, args, options } = plainSandbox.command(path, ['-version'], megabytes * MEGABYTE);
    return run(file, args, options).then(
      () => true,
      () => false,
    );
  };
  let megabytes = 16;
  while (!(await starts(megabytes))) megabytes += 16;
  return {
    ...plainSandbox,
    command: (program, args) => plainSandbox.command(program, args, (megabytes + 16) * MEGABYTE),
  };
}
