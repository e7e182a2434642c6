import { eventually } from '../tests/support/eventually.ts';
import { getVideo } from '../tests/support/systemClient.ts';

/**
 * Waits until FFmpeg has nothing more to do for these videos. It makes ladder, storyboard and preview after the video is ready, and would
 * be measured with what follows.
 */
export async function untilAllIsMade(base: string, videoIds: readonly string[]): Promise<void> {
  for (const id of videoIds) {
    await eventually(() => getVideo(base, id), {
      within: 120_000,
      what: `ladder, storyboard and preview of video ${id} are made`,
      holds: ({ data }) => data.video.hlsUrl !== null,
    });
  }
}
