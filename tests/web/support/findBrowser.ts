import { execFile } from 'node:child_process';
import { access, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { chromium, type Browser } from 'playwright-core';
import { REPOSITORY } from '../../support/instance.ts';

/** A Chromium on this machine. */
export interface FoundBrowser {
  readonly path: string;
  /** Variables that it needs besides those of this process. */
  readonly env: Readonly<Record<string, string>>;
}

const DEBIANS = '/usr/bin/chromium';

/**
 * A Chromium that plays the videos of the server (H.264 and AAC): the one of CHROMIUM_PATH, else Debian's, else the one in
 * the npm package @sparticuz/chromium. Returns what is wrong with each of them when none works.
 */
export async function findBrowser(): Promise<FoundBrowser | { readonly missing: string }> {
  const named = process.env['CHROMIUM_PATH'];
  const candidates: readonly (() => Promise<FoundBrowser>)[] =
    named !== undefined && named !== '' ? [() => installed(named)] : [() => installed(DEBIANS), fromNpm];
  const reasons: string[] = [];
  for (const candidate of candidates) {
    try {
      const found = await candidate();
      await mustPlayVideos(found);
      return found;
    } catch (error) {
      reasons.push(error instanceof Error ? error.message.split('\n')[0]! : String(error));
    }
  }
  return { missing: reasons.join('; ') };
}

/** A name of this machine for pages in the browser, as another machine of the same network would use. */
export const LAN_NAME = 'reelstream.lan';

/** The sandbox of Chromium refuses to run as root, and the pages are our own. */
export function launchBrowser({ path, env }: FoundBrowser): Promise<Browser> {
  return chromium.launch({
    executablePath: path,
    env: { ...process.env, ...env },
    chromiumSandbox: false,
    args: [`--host-resolver-rules=MAP ${LAN_NAME} 127.0.0.1`],
  });
}

async function installed(path: string): Promise<FoundBrowser> {
  await access(path).catch(() => {
    throw new Error(`there is no ${path}`);
  });
  return { path, env: {} };
}

/** The package has a compressed Chromium for Linux on x64, with libraries and fonts for machines that have none. */
async function fromNpm(): Promise<FoundBrowser> {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new Error(`@sparticuz/chromium has none for ${process.platform} on ${process.arch}`);
  const entry = createRequire(import.meta.url).resolve('@sparticuz/chromium');
  const { version } = JSON.parse(await readFile(join(entry, '../../package.json'), 'utf8')) as { version: string };
  const cache = join(REPOSITORY, 'node_modules/.cache');
  const folder = join(cache, `chromium-${version}`);
  const found = {
    path: join(folder, 'chromium'),
    env: { LD_LIBRARY_PATH: join(folder, 'al2023/lib'), FONTCONFIG_FILE: join(folder, 'fonts.conf') },
  };
  const there = (): Promise<boolean> =>
    access(found.path).then(
      () => true,
      () => false,
    );
  if (await there()) return found;
  await mkdir(cache, { recursive: true });
  const temporary = await mkdtemp(join(cache, 'chromium-'));
  try {
    await extract(temporary);
    await writeFile(
      join(temporary, 'fonts.conf'),
      `<fontconfig><dir>${folder}/fonts</dir><dir>/usr/share/fonts</dir><cachedir>${folder}/fonts-cache</cachedir></fontconfig>\n`,
    );
    // Another test file may have been faster.
    await rename(temporary, folder).catch(async (error: unknown) => {
      if (!(await there())) throw error;
    });
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
  return found;
}

/** The package extracts into the folder for temporary files, and its libraries only where it finds this variable. */
async function extract(folder: string): Promise<void> {
  const script = "import('@sparticuz/chromium').then((all) => all.default.executablePath())";
  const env = { PATH: process.env['PATH'], TMPDIR: folder, AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x' };
  await promisify(execFile)(process.execPath, ['--eval', script], { cwd: REPOSITORY, env });
}

const TYPE = 'video/mp4; codecs="avc1.640028, mp4a.40.2"';
const PLAYS = `MediaSource.isTypeSupported('${TYPE}') && document.createElement('video').canPlayType('${TYPE}') !== ''`;

/** Builds of Chromium without the codecs of H.264 and AAC exist: in them no video of the server plays. */
async function mustPlayVideos(found: FoundBrowser): Promise<void> {
  const browser = await launchBrowser(found).catch((cause: unknown) => {
    throw new Error(`${found.path} does not start: ${startError(cause)}`, { cause });
  });
  try {
    const page = await browser.newPage();
    const plays = await page.evaluate<boolean>(PLAYS);
    if (!plays) throw new Error(`${found.path} (${browser.version()}) plays no H.264 with AAC`);
  } finally {
    await browser.close();
  }
}

/** What the program said; Playwright's own message is a page of flags. */
function startError(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  return /error while loading shared libraries.*|\[err\] (.*)/.exec(text)?.[0] ?? text.split('\n')[0]!;
}
