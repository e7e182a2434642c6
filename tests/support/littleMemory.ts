import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { plainSandbox, type Sandbox } from '../../src/media/ffmpeg/sandbox.ts';
import { testTools } from './clips.ts';

const run = promisify(execFile);
const MEGABYTE = 1024 ** 2;

/**
 * A sandbox in which a program has so many megabytes of address space left after its start. Its libraries take 20 to 300,
 * depending on the build, and each thread 8.
 */
export async function littleMemory(name: 'ffmpeg' | 'ffprobe', left = 16): Promise<Sandbox> {
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
    command: (program, args) => plainSandbox.command(program, args, (megabytes + left) * MEGABYTE),
  };
}
