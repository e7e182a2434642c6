import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Config } from '../config/config.ts';
import { createInDataFolder } from '../config/dataFolder.ts';
import { abortable } from '../core/abortable.ts';
import type { MediaFiles } from '../features/feature.ts';
import { findFfmpegTools, type FfmpegTools } from '../media/ffmpeg/ffmpegTools.ts';
import { findSandbox, type FoundSandbox } from '../media/ffmpeg/findSandbox.ts';
import { createInspector } from '../media/inspecting/inspect.ts';
import { createScratch, type Scratch } from '../media/scratch/scratch.ts';
import type { Process } from './process.ts';

/**
 * Begins to look for FFmpeg, which takes a while. The returned function waits for the result, so that other parts can
 * start meanwhile.
 */
export async function openMediaFiles({
  config,
  logger,
  tracing,
  parts,
  starting,
}: Process): Promise<() => Promise<MediaFiles>> {
  const folder = join(config.dataDir, 'tmp');
  const scratch = await createInDataFolder(config.dataDir, createScratch(folder));
  parts.defer(() => scratch.close());
  const finding = findTools(config, scratch, folder);
  // A start may fail before `finding` is awaited. An unhandled rejection would end the process.
  const settled = finding.then(
    () => undefined,
    () => undefined,
  );
  // The search uses the scratch folder, so it must end before that is closed.
  parts.defer(() => settled);

  return async () => {
    const { tools, found } = await abortable(finding, starting);
    logTools(logger, tools, found);
    const { sandbox } = found;
    const inspect = createInspector({ ffprobe: tools.ffprobe.path, sandbox, tracing });
    return { scratch, inspect, ffmpeg: tools.ffmpeg.path, ffmpegVersion: tools.ffmpeg.version, sandbox };
  };
}

async function findTools(
  config: Config,
  scratch: Scratch,
  folder: string,
): Promise<{ tools: FfmpegTools; found: FoundSandbox }> {
  const places = { binFolder: join(config.dataDir, 'bin'), searchPath: process.env['PATH'] };
  const tools = await findFfmpegTools({ ...config, ...places });
  return { tools, found: await findSandbox(tools, scratch, folder) };
}

function logTools(
  logger: Logger,
  { ffmpeg, ffprobe, passedOver }: FfmpegTools,
  { description, weak }: FoundSandbox,
): void {
  for (const sentence of passedOver) logger.warn(sentence);
  if (ffmpeg.source !== 'package') logger.info({ ffmpeg, ffprobe }, 'found FFmpeg');
  else
    logger.warn(
      { ffmpeg, ffprobe },
      'FFmpeg is the one from npm, which gets no security updates. Install the FFmpeg of your distribution, or set FFMPEG_PATH.',
    );
  if (weak) logger.warn(description);
  else logger.info(description);
}
