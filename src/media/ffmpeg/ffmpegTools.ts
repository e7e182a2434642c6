import { execFile } from 'node:child_process';
import { access, chmod, constants, copyFile, mkdir, realpath, rename } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { StartError } from '../../core/startError.ts';
import { toolEnvironment } from './toolEnvironment.ts';

export interface MediaTool {
  readonly path: string;
  /** As the program prints it: `6.1.1`, or a git build like `N-47683-g0e8eb07980-static`. */
  readonly version: string;
  readonly source: 'named' | 'path' | 'package';
}

export interface FfmpegTools {
  readonly ffmpeg: MediaTool;
  readonly ffprobe: MediaTool;
  /** Sentences for the logger: why each pair on PATH before the chosen one is not used. */
  readonly passedOver: readonly string[];
}

export interface FindToolsOptions {
  /** `FFMPEG_PATH`, `FFPROBE_PATH`. The start fails if they cannot be used. */
  readonly ffmpegPath?: string;
  readonly ffprobePath?: string;
  /** A packaged program is copied here if it cannot be made executable in place (a read-only node_modules). */
  readonly binFolder: string;
  /** `PATH`. */
  readonly searchPath?: string;
}

type Name = 'ffmpeg' | 'ffprobe';
type Pair = Pick<FfmpegTools, Name>;

/** The major version of libavcodec in FFmpeg 4.0, the oldest release that our options are tested with. */
const OLDEST_LIBAVCODEC = 58;
const LIMITS = { timeout: 20_000, killSignal: 'SIGKILL', maxBuffer: 4 << 20 } as const;

const run = promisify(execFile);
const require = createRequire(import.meta.url);

/**
 * Finds FFmpeg and ffprobe, and runs both once. It tries, in this order: the pair that the configuration names; the pairs on
 * PATH, which the distribution keeps patched; the pair from npm, which nobody patches. Both programs must come from one
 * build. Otherwise ffprobe may read a file differently from FFmpeg, and check something else than what is transcoded. The
 * pair from npm is an exception, since no suitable package has both (docs/adr/0063). @throws StartError
 */
export async function findFfmpegTools(options: FindToolsOptions): Promise<FfmpegTools> {
  const { ffmpegPath, ffprobePath, searchPath = '', binFolder } = options;
  if (ffmpegPath !== undefined || ffprobePath !== undefined)
    return { ...(await namedPair(ffmpegPath, ffprobePath)), passedOver: [] };
  const folders = await foldersWithFfmpeg(searchPath);
  const tried = await Promise.allSettled(folders.map((folder) => pairIn(folder)));
  const found = tried.findIndex(({ status }) => status === 'fulfilled');
  const passedOver = tried.slice(0, found < 0 ? undefined : found).flatMap((each, index) => {
    return each.status === 'rejected'
      ? [`The FFmpeg in ${folders[index]} is not used: ${(each.reason as Error).message}.`]
      : [];
  });
  const pair = tried[found];
  if (pair?.status === 'fulfilled') return { ...pair.value, passedOver };
  return { ...(await packagedPair(binFolder, passedOver)), passedOver };
}

/**
 * The folders on PATH that have an FFmpeg. A folder that PATH has under several names is listed once. A folder that this
 * user may not search is left out.
 */
async function foldersWithFfmpeg(searchPath: string): Promise<string[]> {
  const byRealPath = new Map<string, string>();
  for (const folder of searchPath.split(delimiter).filter(Boolean)) {
    const isThere = await access(join(folder, 'ffmpeg')).then(
      () => true,
      () => false,
    );
    if (!isThere) continue;
    const real = await realpath(folder);
    if (!byRealPath.has(real)) byRealPath.set(real, folder);
  }
  return [...byRealPath.values()];
}

async function namedPair(ffmpegPath: string | undefined, ffprobePath: string | undefined): Promise<Pair> {
  const [ffmpeg, ffprobe] = await Promise.all([
    named('ffmpeg', ffmpegPath, ffprobePath),
    named('ffprobe', ffprobePath, ffmpegPath),
  ]);
  if (ffmpeg.version !== ffprobe.version) {
    throw new StartError(
      `${ffmpeg.path} is version ${ffmpeg.version} and ${ffprobe.path} is version ${ffprobe.version}: set FFMPEG_PATH and FFPROBE_PATH to programs of the same build.`,
    );
  }
  return { ffmpeg, ffprobe };
}

/** The program at `path`. If only the `other` program is named: the one in its folder. */
async function named(name: Name, path: string | undefined, other: string | undefined): Promise<MediaTool> {
  const variable = `${name.toUpperCase()}_PATH`;
  if (path !== undefined) {
    return attempt(name, path, 'named').catch((cause: unknown) => {
      throw new StartError(`${variable} names ${path}, which cannot be used: ${(cause as Error).message}`, { cause });
    });
  }
  const sibling = join(dirname(other ?? ''), name);
  return attempt(name, sibling, 'named').catch((cause: unknown) => {
    throw new StartError(
      `There is no usable ${sibling} beside ${other}: set ${variable} to the ${name} of the same build (${(cause as Error).message}).`,
      { cause },
    );
  });
}

async function pairIn(folder: string): Promise<Pair> {
  const ffmpeg = await attempt('ffmpeg', join(folder, 'ffmpeg'), 'path');
  const ffprobe = await attempt('ffprobe', join(folder, 'ffprobe'), 'path').catch((cause: unknown) => {
    throw new Error(`there is no usable ffprobe beside it (${(cause as Error).message})`, { cause });
  });
  if (ffmpeg.version !== ffprobe.version)
    throw new Error(`it is version ${ffmpeg.version}, and the ffprobe beside it is version ${ffprobe.version}`);
  return { ffmpeg, ffprobe };
}

async function packagedPair(binFolder: string, passedOver: readonly string[]): Promise<Pair> {
  try {
    const [ffmpeg, ffprobe] = await Promise.all([packaged('ffmpeg', binFolder), packaged('ffprobe', binFolder)]);
    return { ffmpeg, ffprobe };
  } catch (cause) {
    const why = passedOver.length > 0 ? ` ${passedOver.join(' ')}` : '';
    throw new StartError(`No working FFmpeg with its ffprobe was found: install FFmpeg, or set FFMPEG_PATH.${why}`, {
      cause,
    });
  }
}

async function attempt(name: Name, path: string, source: MediaTool['source']): Promise<MediaTool> {
  await access(path, constants.X_OK);
  const { stdout } = await run(path, ['-version'], { ...LIMITS, env: toolEnvironment() });
  const version = new RegExp(`^${name} version (\\S+)`).exec(stdout)?.[1];
  if (version === undefined) throw new Error(`it does not answer like ${name}`);
  if (Number(/libavcodec\s+(\d+)\./.exec(stdout)?.[1] ?? 0) < OLDEST_LIBAVCODEC)
    throw new Error(`version ${version} is older than FFmpeg 4.0`);
  if (name === 'ffmpeg') await requireEncoders(path);
  return { path, version, source };
}

/** Some distributions build FFmpeg without x264. */
async function requireEncoders(path: string): Promise<void> {
  const { stdout } = await run(path, ['-hide_banner', '-encoders'], { ...LIMITS, env: toolEnvironment() });
  for (const encoder of ['libx264', 'aac', 'mjpeg']) {
    if (!new RegExp(`^ [A-Z.]{6} ${encoder} `, 'm').test(stdout))
      throw new Error(`it was built without the encoder ${encoder}`);
  }
}

/**
 * The packages that contain a program, the newest FFmpeg first. They are optional: npm installs only those that have a
 * binary for the machine.
 */
const PACKAGES: Readonly<Record<Name, readonly string[]>> = {
  ffmpeg: ['@ffmpeg-binary', '@ffmpeg-installer'],
  ffprobe: ['@ffprobe-installer'],
};

async function packaged(name: Name, binFolder: string): Promise<MediaTool> {
  const tried = PACKAGES[name].map((scope) => `${scope}/${process.platform}-${process.arch}/${name}`);
  const path = tried.map(resolved).find((each) => each !== undefined);
  if (path === undefined) throw new Error(`none of these is installed: ${tried.join(', ')}`);
  return attempt(name, await executable(path, binFolder), 'package');
}

function resolved(file: string): string | undefined {
  try {
    return require.resolve(file);
  } catch {
    return undefined;
  }
}

/** The packages' install scripts, which set the executable bit, do not run everywhere. */
async function executable(path: string, binFolder: string): Promise<string> {
  const usable = await access(path, constants.X_OK).then(
    () => true,
    () =>
      chmod(path, 0o755).then(
        () => true,
        () => false,
      ),
  );
  if (usable) return path;
  const copy = join(binFolder, basename(path));
  if (
    await access(copy, constants.X_OK).then(
      () => true,
      () => false,
    )
  )
    return copy;
  await mkdir(binFolder, { recursive: true });
  const temporary = `${copy}.${process.pid}`;
  await copyFile(path, temporary);
  await chmod(temporary, 0o755);
  await rename(temporary, copy);
  return copy;
}
