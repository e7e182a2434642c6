import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { testTools } from './clips.ts';

const run = promisify(execFile);

/** Seconds that FFmpeg reads of a stream of a playlist, over HTTP. */
export async function playedSeconds(url: string, stream: string): Promise<number> {
  const { ffmpeg } = await testTools();
  // FFmpeg from npm is linked statically, and cannot look up names on every machine.
  const byNumber = url.replace('//localhost:', '//127.0.0.1:');
  const reading = ['-v', 'error', '-xerror', ...optionsOf(ffmpeg.version), '-i', byNumber];
  const counting = ['-map', stream, '-f', 'null', '-progress', 'pipe:1', '-nostats', '-'];
  const { stdout } = await run(ffmpeg.path, [...reading, ...counting]);
  return Number([...stdout.matchAll(/^out_time_(?:us|ms)=(\d+)/gm)].at(-1)![1]) / 1e6;
}

/** What its HLS reader needs to play byte ranges over HTTP (docs/adr/0064). */
function optionsOf(version: string): string[] {
  const major = Number(/^n?(\d+)/.exec(version)?.[1]);
  // It mixes up what it fetches at once and by one connection.
  if (major === 4) return ['-http_persistent', '0', '-http_multiple', '0'];
  // It takes ranges that follow each other from one connection, and counts them from the beginning of the file.
  if (major === 9) return ['-http_seekable', '0'];
  return [];
}
