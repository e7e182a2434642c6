import { afterAll, beforeAll } from '@jest/globals';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { newPerson, type Credentials, type Person } from '../../support/systemClient.ts';
import type { System, SystemOptions } from '../../support/system.ts';
import { inTime, REPORT_MS, useSystem, type SystemTest } from '../../support/useSystem.ts';
import { mustBeBuilt } from './builtPage.ts';
import { describeInBrowser } from './describeInBrowser.ts';
import { collectFaults, type Faults } from './faults.ts';
import { storageAfterLogin } from './storage.ts';
import { recordTraffic, type Traffic } from './traffic.ts';

export interface VisitOptions {
  /** Who has signed in before; nobody by default. */
  readonly as?: Credentials;
  /** 1280 × 800 by default. */
  readonly viewport?: { readonly width: number; readonly height: number };
  readonly colorScheme?: 'light' | 'dark';
  readonly reducedMotion?: 'reduce' | 'no-preference';
  readonly hasTouch?: boolean;
  /** Faults that the test causes on purpose. Any other makes it fail. */
  readonly expecting?: readonly RegExp[];
  /** The base URL of an API process; the first one by default. */
  readonly at?: string;
}

interface Visitor {
  readonly context: BrowserContext;
  readonly faults: Faults;
  readonly traffic: Traffic;
}

export interface Web {
  readonly system: () => System;
  /**
   * A test whose visitors leave at its end. It fails when a page of theirs had an error on its console, an uncaught error,
   * a request that failed, or a request to another host. A failed test leaves a picture of each page, and says what each visitor
   * sent and got. `timeout` is 120 000 ms by default.
   */
  readonly webTest: SystemTest;
  /** A new visitor opens a page. More tabs of theirs: `page.context().newPage()`. */
  readonly visit: (path: string, options?: VisitOptions) => Promise<Page>;
  /** A person with the role admin; the same one in the whole file. */
  readonly admin: () => Promise<Person>;
}

const ADMIN = 'admin@example.org';
/** Milliseconds for one step of a page. Two test files share the machine. */
const PATIENCE_MS = 20_000;
/** Many such steps, on a slow machine. */
const LONGEST_TEST_MS = 120_000;

/** `describe` for tests of the web page, with a system and a browser for the whole file (`describeInBrowser`). */
export function describeWeb(name: string, tests: (web: Web) => void, options: SystemOptions = {}): void {
  describeInBrowser(name, (launch) => tests(useWeb(launch, options)));
}

function useWeb(launch: () => Promise<Browser>, { environment, ...options }: SystemOptions): Web {
  let launched: Browser | undefined;
  beforeAll(async () => {
    await mustBeBuilt();
    launched = await launch();
  }, 60_000);
  afterAll(() => launched?.close());

  const { system, systemTest } = useSystem({
    ofEach: 1,
    ...options,
    environment: async (engines) => ({
      ADMIN_EMAILS: ADMIN,
      FIRST_USER_IS_ADMIN: 'false',
      ...(typeof environment === 'function' ? await environment(engines) : environment),
    }),
  });
  let admin: Promise<Person> | undefined;
  let visitors: Visitor[] = [];

  const visit: Web['visit'] = async (path, { as, at = system().apis[0]!, expecting = [], ...look } = {}) => {
    // The name in the addresses of media: the page and its videos have one origin, as for users.
    const origin = at.replace('//127.0.0.1:', '//localhost:');
    const context = await launched!.newContext({
      baseURL: origin,
      viewport: { width: 1280, height: 800 },
      colorScheme: 'light',
      ...look,
      ...(as !== undefined && { storageState: await storageAfterLogin(as, origin) }),
    });
    context.setDefaultTimeout(PATIENCE_MS);
    const faults = collectFaults(context, hostsOf(origin), expecting);
    visitors.push({ context, faults, traffic: recordTraffic(context) });
    const page = await context.newPage();
    await page.goto(path);
    return page;
  };

  return {
    system,
    visit,
    admin: () => (admin ??= newPerson(system().apis[0]!, { email: ADMIN })),
    webTest: (name, run, timeout = LONGEST_TEST_MS) =>
      systemTest(
        name,
        async () => {
          try {
            await inTime(run, timeout);
            const faults = visitors.flatMap(({ faults }) => faults.seen);
            if (faults.length > 0) throw new Error(`The pages had faults:\n${faults.join('\n')}`);
          } catch (error) {
            const pictures = await picturesOf(visitors, name);
            if (error instanceof Error)
              error.message += `\n\nThe pages then: ${pictures.join(' ')}\n\n${trafficOf(visitors)}`;
            throw error;
          } finally {
            await Promise.all(visitors.map(leave));
            visitors = [];
          }
        },
        timeout + REPORT_MS,
      ),
  };
}

/** Requests that the test has held back may never be answered. */
async function leave({ context }: Visitor): Promise<void> {
  await Promise.all(context.pages().map((page) => page.unrouteAll({ behavior: 'ignoreErrors' })));
  await context.close();
}

/** The server, and in a cluster the object store, from which browsers fetch media. */
function hostsOf(server: string): ReadonlySet<string> {
  const objectStore = process.env['SYSTEM_PROFILE'] === 'cluster' ? process.env['MINIO_PUBLIC_URL'] : undefined;
  return new Set([server, objectStore].filter((url) => url !== undefined).map((url) => new URL(url).host));
}

function trafficOf(visitors: readonly Visitor[]): string {
  return visitors
    .map(({ traffic }, index) => [`What visitor ${index + 1} sent and got last:`, ...traffic.lines].join('\n'))
    .join('\n\n');
}

async function picturesOf(visitors: readonly Visitor[], name: string): Promise<string[]> {
  const folder = join(tmpdir(), 'reelstream-web-failures');
  await mkdir(folder, { recursive: true });
  const pages = visitors.flatMap(({ context }) => context.pages());
  return Promise.all(
    pages.map(async (page, index) => {
      const path = join(folder, `${name.replace(/\W+/g, '-')}-${index}.png`);
      await page.screenshot({ path, timeout: 5_000 }).catch(() => undefined);
      return `${page.url()} ${path}`;
    }),
  );
}
