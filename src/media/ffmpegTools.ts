import { execFile } from 'node:child_process';
import { access, chmod, constants, copyFile, mkdir, rename } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { StartError } from '../startError.ts';

export interface MediaTool {
  readonly path: string;
  /** As it names itself: `6.1.1`, or a git build like `N-47683-g0e8eb07980-static`. */
  readonly version: string;
  readonly source: 'named' | 'path' | 'package';
}

export interface FfmpegTools {
  readonly ffmpeg: MediaTool;
  readonly ffprobe: MediaTool;
}

export interface FindToolsOptions {
  /** `FFMPEG_PATH`, `FFPROBE_PATH`: used as they are, or the start fails. */
  readonly ffmpegPath?: string;
  readonly ffprobePath?: string;
  /** Where a packaged binary is copied to that cannot be made executable where it lies (a read-only node_modules). */
  readonly binFolder: string;
  /** `PATH`. */
  readonly searchPath?: string;
}

type Name = 'ffmpeg' | 'ffprobe';
interface TriedTool extends MediaTool {
  /** libavcodec's version: git builds have no release number to compare. */
  readonly libavcodec: number;
}

const run = promisify(execFile);
const require = createRequire(import.meta.url);

/**
 * Finds FFmpeg and ffprobe and runs both once: the named ones, else whichever is newer of the one on PATH and the one
 * that npm brought along. @throws StartError
 */
export async function findFfmpegTools(options: FindToolsOptions): Promise<FfmpegTools> {
  const [ffmpeg, ffprobe] = await Promise.all([
    find('ffmpeg', options.ffmpegPath, options),
    find('ffprobe', options.ffprobePath, options),
  ]);
  return { ffmpeg, ffprobe };
}

async function find(name: Name, named: string | undefined, options: FindToolsOptions): Promise<MediaTool> {
  if (named !== undefined) {
    return attempt(name, named, 'named').catch((cause: unknown) => {
      throw new StartError(`${name.toUpperCase()}_PATH names ${named}, which cannot be used: ${(cause as Error).message}`, { cause });
    });
  }
  const candidates = [
    ...(options.searchPath ?? '').split(delimiter).filter(Boolean).map((folder) => attempt(name, join(folder, name), 'path')),
    attemptPackaged(name, options.binFolder),
  ];
  const usable = (await Promise.allSettled(candidates)).flatMap((tried) => (tried.status === 'fulfilled' ? [tried.value] : []));
  const [best, ...others] = usable;
  if (best === undefined) {
    throw new StartError(`No working ${name} was found: install FFmpeg, or set ${name.toUpperCase()}_PATH to its ${name}.`);
  }
  return others.reduce((newest, tool) => (tool.libavcodec > newest.libavcodec ? tool : newest), best);
}

async function attempt(name: Name, path: string, source: MediaTool['source']): Promise<TriedTool> {
  await access(path, constants.X_OK);
  const { stdout } = await run(path, ['-version'], { timeout: 20_000, killSignal: 'SIGKILL' });
  const version = new RegExp(`^${name} version (\\S+)`).exec(stdout)?.[1];
  if (version === undefined) throw new Error(`it does not answer like ${name}`);
  if (name === 'ffmpeg') await requireEncoders(path);
  const [, major = '0', minor = '0'] = /libavcodec\s+(\d+)\.\s*(\d+)/.exec(stdout) ?? [];
  return { path, version, source, libavcodec: Number(major) * 1000 + Number(minor) };
}

/** Some distributions build FFmpeg without x264. */
async function requireEncoders(path: string): Promise<void> {
  const { stdout } = await run(path, ['-hide_banner', '-encoders'], { timeout: 20_000, killSignal: 'SIGKILL', maxBuffer: 4 << 20 });
  for (const encoder of ['libx264', 'aac', 'mjpeg']) {
    if (!new RegExp(`^ [A-Z.]{6} ${encoder} `, 'm').test(stdout)) throw new Error(`it was built without the encoder ${encoder}`);
  }
}

/** The packages are optional: npm leaves out what it has no binary for. */
async function attemptPackaged(name: Name, binFolder: string): Promise<TriedTool> {
  const path = require.resolve(`@${name}-installer/${process.platform}-${process.arch}/${name}${process.platform === 'win32' ? '.exe' : ''}`);
  return attempt(name, await executable(path, binFolder), 'package');
}

/** The packages' install scripts, which set the executable bit, do not run everywhere. */
async function executable(path: string, binFolder: string): Promise<string> {
  const usable = await access(path, constants.X_OK).then(() => true, () => chmod(path, 0o755).then(() => true, () => false));
  if (usable) return path;
  const copy = join(binFolder, basename(path));
  if (await access(copy, constants.X_OK).then(() => true, () => false)) return copy;
  await mkdir(binFolder, { recursive: true });
  const temporary = `${copy}.${process.pid}`;
  await copyFile(path, temporary);
  await chmod(temporary, 0o755);
  await rename(temporary, copy);
  return copy;
}
