import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { getPriority, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { clip, spoiltClip, testTools } from './support/clips.ts';
import { eventually } from './support/eventually.ts';
import { Instance, newPlace, type Place } from './support/instance.ts';
import { script } from './support/scripts.ts';
import { newPerson, upload, type Person } from './support/systemClient.ts';
import { withCopies } from './support/tracks.ts';

jest.setTimeout(120_000);

/** The environment of one run of FFmpeg or ffprobe. */
interface RunEnvironment {
  readonly user: number;
  readonly niceness: number;
  /** The limit in kilobytes, or `unlimited`. */
  readonly memory: string;
  readonly interfaces: readonly string[];
  /** Whether it can read the server's environment variables from /proc. */
  readonly seesServer: boolean;
  readonly variables: Readonly<Record<string, string>>;
}

const isRoot = process.geteuid?.() === 0;
const SECRET = 'a-secret-of-the-server-0123456789abcdef';

let place: Place;
let instance: Instance;
let person: Person;
/** A folder in which every user may write, so that FFmpeg can leave a note as any user. */
let notes: string;

beforeAll(async () => {
  place = await newPlace();
  notes = await mkdtemp(join(tmpdir(), 'ffmpeg-notes-'));
  await chmod(notes, 0o777);
  // As in root's home folder: other users may not enter the server's folder.
  await chmod(place.folder, 0o700);
  const tools = await testTools();
  for (const name of ['ffmpeg', 'ffprobe'] as const)
    await script(place.folder, name, spy(name, await reachable(tools[name].path, name)));
  instance = new Instance({
    ...place,
    env: { FFMPEG_PATH: join(place.folder, 'ffmpeg'), JWT_SECRET: SECRET, LOG_LEVEL: 'info' },
  });
  await instance.ready();
  person = await newPerson(instance.url);
});
afterAll(async () => {
  await instance[Symbol.asyncDispose]();
  await place[Symbol.asyncDispose]();
  await rm(notes, { recursive: true });
});

/** Copies the program to a folder that every user may enter, because another user runs the script that starts it. */
async function reachable(program: string, name: string): Promise<string> {
  const copy = join(notes, `${name}-itself`);
  await copyFile(program, copy);
  await chmod(copy, 0o755);
  return copy;
}

/** A script that writes down its environment and then becomes the program. */
const spy = (name: string, program: string): string => `
if [ "$1" = "-version" ]; then echo "${name} version spied"; echo "libavcodec 59. 37.100"; exit; fi
case "$*" in *-protocol_whitelist*)
  { id -u; nice; ulimit -v; sed -n 's/^ *\\([^:]*\\):.*/\\1/p' /proc/net/dev | xargs; cat /proc/$PPID/environ >/dev/null 2>&1 && echo yes || echo no; tr '\\0' '\\n' </proc/self/environ; } > ${notes}/${name}.$$ ;;
esac
exec ${program} "$@"`;

/** The addresses of what is made after the video is ready. */
async function filesOf(videoId: string): Promise<readonly (string | null)[]> {
  const { data } = (await (await fetch(`${instance.url}/api/v1/video/${videoId}`)).json()) as {
    data: { video: Record<'hlsUrl' | 'storyboardUrl' | 'previewUrl', string | null> };
  };
  const { hlsUrl, storyboardUrl, previewUrl } = data.video;
  return [hlsUrl, storyboardUrl, previewUrl];
}

async function environmentsOf(name: string): Promise<RunEnvironment[]> {
  const files = (await readdir(notes)).filter((file) => file.startsWith(`${name}.`));
  return Promise.all(
    files.map(async (file) => {
      const [user, niceness, memory = '', interfaces = '', seesServer, ...variables] = (
        await readFile(join(notes, file), 'utf8')
      )
        .trim()
        .split('\n');
      return {
        user: Number(user),
        niceness: Number(niceness),
        memory,
        interfaces: interfaces.split(' '),
        seesServer: seesServer === 'yes',
        variables: Object.fromEntries(variables.map((line) => line.split(/=(.*)/s, 2) as [string, string])),
      };
    }),
  );
}

describe('FFmpeg and ffprobe, run by a server in a folder that only its owner may enter,', () => {
  let runs: RunEnvironment[];
  let sentence: string;
  beforeAll(async () => {
    const answer = await upload(instance.url, person.token, await clip('plain'));
    expect([answer.status, answer.data.status]).toEqual([201, 'ready']);
    await eventually(() => filesOf(answer.data.id), {
      within: 60_000,
      what: 'its ladder, storyboard and preview are made',
      holds: (urls) => urls.every((url) => url !== null),
    });
    runs = [...(await environmentsOf('ffprobe')), ...(await environmentsOf('ffmpeg'))];
    sentence = /FFmpeg runs [^"]*/.exec(instance.output)?.[0] ?? '';
  });

  test('get no variable of the server', () => {
    expect(runs.length).toBeGreaterThanOrEqual(3);
    // A shell adds PWD, OLDPWD, SHLVL and _ to the variables that it gets.
    const allowed = new Set(['PATH', 'LD_LIBRARY_PATH', 'LC_ALL', 'MALLOC_ARENA_MAX', 'PWD', 'OLDPWD', 'SHLVL', '_']);
    for (const { variables } of runs) {
      expect(Object.keys(variables).filter((name) => !allowed.has(name))).toEqual([]);
      expect(JSON.stringify(variables)).not.toContain(SECRET);
    }
  });

  test('run with limited memory and a low priority', async () => {
    // It is added to the niceness of the server, which has that of this process. The highest is 19: that of the ladder.
    expect(new Set(runs.map(({ niceness }) => niceness))).toEqual(new Set([Math.min(getPriority() + 10, 19), 19]));
    expect(new Set((await environmentsOf('ffprobe')).map(({ memory }) => memory))).toEqual(
      new Set([String(1024 ** 2)]),
    );
    expect(new Set((await environmentsOf('ffmpeg')).map(({ memory }) => memory))).toEqual(
      new Set([String(4.5 * 1024 ** 2)]),
    );
  });

  test('run without network and, if the server is root, as another user, as far as the log says', () => {
    expect(sentence).toMatch(/^FFmpeg runs with/);
    const withoutNetwork = sentence.includes('without network');
    const user = Number(/as user (\d+)/.exec(sentence)?.[1] ?? process.geteuid!());
    expect(isRoot || !sentence.includes('as user')).toBe(true);
    for (const run of runs)
      expect(run).toMatchObject({ user, ...(withoutNetwork && { interfaces: ['lo'], seesServer: false }) });
    if (!withoutNetwork || (isRoot && user === 0))
      process.stderr.write(`SKIPPED in part, because this machine does not permit more: ${sentence}\n`);
  });
});

test('a small file with a hundred tracks is refused, and FFmpeg never sees it', async () => {
  const before = (await readdir(notes)).length;
  const path = await spoiltClip('silent', join(place.folder, 'hundred.mp4'), (movie) => withCopies(movie, 100));
  const answer = await upload(instance.url, person.token, path);
  expect([answer.status, answer.body.code]).toEqual([422, 'too_many_streams']);
  expect(answer.body.message).toBe(
    'The file has 100 tracks; at most 16 are allowed. Export it with one video track and one audio track.',
  );
  expect((await readdir(notes)).length).toBe(before);
});

test('a start with an FFmpeg that does not exist ends with one sentence, before the database is ready', async () => {
  await using other = await newPlace();
  await using refused = new Instance({ ...other, env: { FFMPEG_PATH: '/nowhere/ffmpeg' } });
  const { code, output } = await refused.ended;
  expect({ code, lines: output.trim().split('\n') }).toEqual({
    code: 1,
    lines: [expect.stringContaining('FFMPEG_PATH names /nowhere/ffmpeg, which cannot be used')],
  });
});

test('a start with an FFmpeg that has no ffprobe beside it ends with a sentence that says what to set', async () => {
  await using other = await newPlace();
  const lonely = join(other.folder, 'lonely');
  await mkdir(lonely, { recursive: true });
  const ffmpeg = join(lonely, 'ffmpeg');
  await writeFile(ffmpeg, await readFile(join(place.folder, 'ffmpeg')), { mode: 0o755 });
  await using refused = new Instance({ ...other, env: { FFMPEG_PATH: ffmpeg } });
  const { code, output } = await refused.ended;
  expect(code).toBe(1);
  expect(output).toContain(
    `There is no usable ${join(dirname(ffmpeg), 'ffprobe')} beside ${ffmpeg}: set FFPROBE_PATH to the ffprobe of the same build`,
  );
  expect(output.trim().split('\n')).toHaveLength(1);
});
