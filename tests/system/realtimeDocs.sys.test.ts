import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { beforeAll, expect } from '@jest/globals';
import { z } from 'zod';
import type { AsyncApiDocument } from '../../src/realtime/asyncapi.ts';
import { clip } from '../support/clips.ts';
import { eventually } from '../support/eventually.ts';
import { newPerson, toggleLike, uploaded } from '../support/systemClient.ts';
import { connect } from '../support/systemSockets.ts';
import { useSystem } from '../support/useSystem.ts';

const { system, systemTest } = useSystem({ ofEach: 1 });
const root = new URL('../..', import.meta.url).pathname;
let plain = '';
let document: AsyncApiDocument;

beforeAll(async () => {
  plain = await clip('plain');
  document = (await (await fetch(`${system().api()}/asyncapi.json`)).json()) as AsyncApiDocument;
}, 120_000);

/** Whether a message matches the document. */
function conforms(name: string, message: unknown): boolean {
  return z
    .fromJSONSchema(document.components.messages[name]!.payload as Parameters<typeof z.fromJSONSchema>[0])
    .safeParse(message).success;
}

/** `examples/realtime.js`, as a user runs it. */
function runExample(
  topics: readonly string[],
  env: Readonly<Record<string, string>>,
): { readonly events: { position: string; type: string }[]; readonly said: () => string } & AsyncDisposable {
  const child = spawn(process.execPath, ['examples/realtime.js', ...topics], {
    cwd: root,
    env: { PATH: process.env['PATH'], ...env },
  });
  const events: { position: string; type: string }[] = [];
  let [out, said] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (out + text).split('\n');
    out = lines.pop() ?? '';
    events.push(...lines.map((line) => JSON.parse(line) as { position: string; type: string }));
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  return {
    events,
    said: () => said,
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null) return;
      const ended = once(child, 'exit');
      child.kill();
      await ended;
    },
  };
}

systemTest(
  'the example prints each event once, in order, as the document says, also when the server crashes',
  async () => {
    const [api] = system().playing('api');
    const owner = await newPerson(api!.url);
    const { id } = await uploaded(api!.url, owner.token, plain);
    await using example = runExample([`video:${id}`, 'me'], { URL: api!.url, TOKEN: owner.token });
    await eventually(() => example.said().includes('subscribed'), { what: 'the example has subscribed' });
    for (let turn = 0; turn < 3; turn += 1) await toggleLike(api!.url, id, owner.token);
    const likes = (): string[] => example.events.map(({ type }) => type).filter((type) => type.endsWith('iked'));
    await eventually(() => likes().length, { what: 'three likes are printed', holds: (count) => count >= 3 });

    await api!.end('SIGKILL');
    await api!.start();
    for (let turn = 0; turn < 2; turn += 1) await toggleLike(api!.url, id, owner.token);
    await eventually(() => likes().length, { what: 'five likes are printed', holds: (count) => count >= 5 });
    expect(likes()).toEqual(['VideoLiked', 'VideoUnliked', 'VideoLiked', 'VideoUnliked', 'VideoLiked']);
    expect(example.said().match(/subscribed/g)).toHaveLength(2);
    const positions = example.events.map(({ position }) => BigInt(position));
    expect(positions.every((position, index) => index === 0 || position > positions[index - 1]!)).toBe(true);
    expect(example.events.filter((event) => !conforms(event.type, event))).toEqual([]);
  },
  120_000,
);

systemTest('answers, refusals and upload progress match the document', async () => {
  const [api, sockets] = [system().apis[0]!, system().sockets[0]!];
  const person = await newPerson(api);
  const [own, original] = [await connect(api, person.token), await connect(sockets)];
  const heard: Record<'uploadProgress' | 'publicUploadProgress', unknown[]> = {
    uploadProgress: [],
    publicUploadProgress: [],
  };
  try {
    own.on(`uploadProgress-${person.id}`, (message) => heard.uploadProgress.push(message));
    original.on(`uploadProgress-${person.id}`, (message) => heard.publicUploadProgress.push(message));
    const events: { type: string }[] = [];
    own.on('event', (event: { type: string }) => events.push(event));
    const answers: unknown[] = [];
    for (const request of [
      { topics: ['me', 'feed'] },
      { topics: [] },
      { topics: ['feed'], since: '9000000000000000000' },
    ])
      answers.push(await own.emitWithAck('subscribe', request));
    answers.push(await original.emitWithAck('subscribe', { topics: ['me'] }));
    expect(
      answers.map((answer) => ({
        conforms: conforms('subscribed', answer),
        code: (answer as { error?: { code: string } }).error?.code,
      })),
    ).toEqual(
      [undefined, 'invalid_subscription', 'position_unknown', 'token_required'].map((code) => ({
        conforms: true,
        code,
      })),
    );
    for (const code of ['invalid_subscription', 'position_unknown', 'token_required'])
      expect(document.components.messages['subscribed']!.description).toContain(`\`${code}\``);

    await uploaded(api, person.token, plain);
    await eventually(() => events.map(({ type }) => type), {
      what: 'the upload and its end are heard',
      holds: (types) => types.includes('VideoProcessed'),
    });
    expect(events.filter((event) => !conforms(event.type, event))).toEqual([]);
    for (const name of ['uploadProgress', 'publicUploadProgress'] as const) {
      await eventually(() => heard[name].at(-1), {
        what: `${name} ends at 100`,
        holds: (last) => (last as { progress?: number })?.progress === 100,
      });
      expect(heard[name].filter((message) => !conforms(name, message))).toEqual([]);
    }
  } finally {
    own.disconnect();
    original.disconnect();
  }
});

systemTest('a reader of the documentation finds the channel', async () => {
  const page = await fetch(`${system().api()}/docs/realtime`);
  const html = await page.text();
  expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
  const titles = Object.values(document.components.messages).map(({ title }) => title);
  expect(titles.length).toBeGreaterThan(5);
  for (const title of titles) expect(html).toContain(title.replaceAll('<', '&lt;').replaceAll('>', '&gt;'));
  const links = [...html.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, link]) => link!);
  expect(links).toContain('/asyncapi.json');
  for (const link of links) expect((await fetch(`${system().api()}${link}`)).status).toBe(200);
  const openapi = (await (await fetch(`${system().api()}/openapi.json`)).json()) as { info: { description: string } };
  expect(openapi.info.description).toContain('/docs/realtime');
  expect(page.headers.get('content-security-policy')).not.toContain('script-src');
});
