import { chmod, copyFile, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { clip, testTools, type ClipName } from '../../../tests/support/clips.ts';
import { eventually } from '../../../tests/support/eventually.ts';
import { script } from '../../../tests/support/scripts.ts';
import { runFfmpeg } from './ffmpeg.ts';
import { findSandbox, type FoundSandbox } from './findSandbox.ts';
import { createInspector } from '../inspecting/inspect.ts';
import { uploadLimits } from '../limits.ts';
import { ProbeFailed } from '../inspecting/probe.ts';
import { planRendition } from '../transcoding/rendition.ts';
import { createSandbox, FFMPEG_ACCOUNT } from './sandbox.ts';
import { createScratch, type Scratch, type ScratchFolder } from '../scratch/scratch.ts';
import { transcode } from '../transcoding/transcode.ts';

let closed: string;
let scratch: Scratch;
let found: FoundSandbox;
let folder: ScratchFolder;
let ffmpeg: string;
let ffprobe: string;

beforeAll(async () => {
  closed = await mkdtemp(join(tmpdir(), 'closed-'));
  await chmod(closed, 0o700);
  const root = join(closed, 'tmp');
  scratch = await createScratch(root);
  const tools = await testTools();
  [ffmpeg, ffprobe] = [tools.ffmpeg.path, tools.ffprobe.path];
  found = await findSandbox(tools, scratch, root);
  process.stderr.write(`${found.description}\n`);
}, 60_000);
beforeEach(async () => {
  folder = await scratch.make();
});
afterAll(async () => {
  await scratch.close();
  await rm(closed, { recursive: true });
});

async function original(name: ClipName): Promise<string> {
  const path = join(folder.path, 'original.mp4');
  await copyFile(await clip(name), path);
  return path;
}

/** The processes that work on a file in the folder. */
async function workers(): Promise<string[]> {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  const commands = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return commands.filter((command) => command.includes(`${folder.path.slice(join(closed, 'tmp').length + 1)}/`));
}

test('a clip in a folder that only we may enter is inspected and transcoded and gets a thumbnail; the results belong to us', async () => {
  const { sandbox } = found;
  const inspect = createInspector({ ffprobe, sandbox });
  const [source, movie, picture] = [
    await original('plain'),
    join(folder.path, 'video.mp4'),
    join(folder.path, 'thumbnail.jpg'),
  ];
  const { video, audio } = await inspect(source);
  const plan = planRendition(video, audio);
  await transcode(source, { movie, picture }, plan, { ffmpeg, sandbox });
  expect((await inspect(movie)).facts).toEqual({ duration: 1, width: 64, height: 48 });
  for (const path of [source, movie, picture]) {
    const { uid, mode, size } = await stat(path);
    expect({ uid, openToOthers: (mode & 0o007) !== 0 && found.user !== undefined }).toEqual({
      uid: process.geteuid!(),
      openToOthers: false,
    });
    expect(size).toBeGreaterThan(0);
  }
});

test('a transcode that is aborted is killed at once', async () => {
  const givenUp = new AbortController();
  const plan = {
    videoStream: 0,
    audioStream: undefined,
    width: 1280,
    height: 720,
    frameRate: undefined,
    maxPixels: uploadLimits.maxPixels,
    mostErrors: new Map(),
    duration: 10,
  };
  const source = await original('slow');
  const outputs = { movie: join(folder.path, 'video.mp4'), picture: join(folder.path, 'thumbnail.jpg') };
  const work = transcode(source, outputs, plan, { ffmpeg, sandbox: found.sandbox, signal: givenUp.signal });
  work.catch(() => undefined);
  await eventually(async () => (await workers()).length > 0, { what: 'FFmpeg works', every: 5 });
  givenUp.abort(new Error('given up'));
  await expect(work).rejects.toThrow('given up');
  await eventually(async () => (await workers()).length === 0, { what: 'no process is left', within: 3_000 });
}, 60_000);

test('a program that a signal ended is told apart from one that ended by itself', async () => {
  const run = async (text: string): Promise<void> => {
    const program = await script(closed, 'program', text);
    // In a closed folder, it is started like a program that only root may enter the folder of.
    const sandbox = found.user === undefined ? found.sandbox : closedProgram();
    await runFfmpeg(
      program,
      {
        inputOptions: ['-f', 'mov'],
        input: await original('plain'),
        outputs: [{ options: ['-f', 'mp4'], path: join(folder.path, 'out.mp4') }],
      },
      { timeout: 30_000, sandbox },
    );
  };
  await expect(run('kill -KILL $$')).rejects.toMatchObject({ name: 'FfmpegFailed', reason: 'exit', ourFault: true });
  await expect(run('kill -SEGV $$')).rejects.toMatchObject({ name: 'FfmpegFailed', reason: 'exit', ourFault: false });
  await expect(run('exit 1')).rejects.toMatchObject({ name: 'FfmpegFailed', reason: 'exit', ourFault: false });
});

function closedProgram(): FoundSandbox['sandbox'] {
  const { uid, gid } = FFMPEG_ACCOUNT;
  return createSandbox({
    steps: ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups'],
    account: FFMPEG_ACCOUNT,
    byDescriptor: true,
    folder: join(closed, 'tmp'),
  });
}

test('a sandbox that does not start the program is our fault, not a fault of the file', async () => {
  const sandbox = createSandbox({ steps: ['/nonexistent/step'] });
  const path = await original('plain');
  await expect(createInspector({ ffprobe, sandbox })(path)).rejects.toThrow(ProbeFailed);
  const run = {
    inputOptions: ['-f', 'mov'],
    input: path,
    outputs: [{ options: ['-f', 'mp4'], path: join(folder.path, 'out.mp4') }],
  };
  await expect(runFfmpeg(ffmpeg, run, { timeout: 30_000, sandbox })).rejects.toMatchObject({
    name: 'FfmpegFailed',
    ourFault: true,
  });
});

test('a program without network cannot reach a server of this machine either', async () => {
  let contacts = 0;
  const bait: Server = createServer((socket) => {
    contacts += 1;
    socket.destroy();
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => bait.once('listening', resolve));
  const url = `http://127.0.0.1:${(bait.address() as AddressInfo).port}/x.ts`;
  const run = (sandbox: FoundSandbox['sandbox']): Promise<unknown> =>
    runFfmpeg(
      ffmpeg,
      {
        inputOptions: ['-f', 'mpegts'],
        input: url,
        outputs: [{ options: ['-f', 'mp4'], path: join(folder.path, 'out.mp4') }],
      },
      { timeout: 30_000, sandbox: { ...sandbox, lend: () => Promise.resolve() } },
    ).catch((error: unknown) => error);
  await run(found.sandbox);
  expect(contacts > 0).toBe(!found.withoutNetwork);
  await run(createSandbox());
  expect(contacts).toBeGreaterThan(0);
  await new Promise((resolve) => bait.close(resolve));
});
