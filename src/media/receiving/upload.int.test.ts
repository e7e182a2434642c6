import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { createServer, request as httpRequest, type IncomingMessage, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { clip, testTools } from '../../../tests/support/clips.ts';
import { eventually } from '../../../tests/support/eventually.ts';
import { DomainError } from '../../core/errors.ts';
import { createInspector, type Inspect } from '../inspecting/inspect.ts';
import { uploadLimits } from '../limits.ts';
import { ProbeFailed } from '../inspecting/probe.ts';
import { createScratch, type Scratch } from '../scratch/scratch.ts';
import { receiveUpload, type ReceivedUpload, type ReceiveUploadOptions } from './upload.ts';

const BOUNDARY = 'x-boundary';
const STATUS: Partial<Record<DomainError['kind'], number>> = {
  invalid: 400,
  tooLarge: 413,
  unsupportedMedia: 415,
  unprocessable: 422,
  unavailable: 503,
};

let folder: string;
let scratch: Scratch;
let inspect: Inspect;
let server: Server;
let port: number;
let options: Partial<ReceiveUploadOptions> = {};
let received: ReceivedUpload | undefined;
let failures: unknown[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'upload-'));
  scratch = await createScratch(folder);
  inspect = createInspector({ ffprobe: (await testTools()).ffprobe.path });
  server = createServer((request, response) => {
    receiveUpload(request, { scratch, inspect, ...options }).then(
      (upload) => {
        received = upload;
        response
          .writeHead(201)
          .end(
            JSON.stringify({
              size: upload.original.size,
              sha256: upload.original.sha256,
              data: upload.data,
              facts: upload.facts,
            }),
          );
      },
      (error: unknown) => {
        failures.push(error);
        const status = error instanceof DomainError ? STATUS[error.kind] : 500;
        response.writeHead(status ?? 500).end((error as Error).message);
      },
    );
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  port = (server.address() as AddressInfo).port;
}, 60_000);
afterEach(async () => {
  await received?.[Symbol.asyncDispose]();
  received = undefined;
  options = {};
  failures = [];
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await scratch.close();
  await rm(folder, { recursive: true });
});

const part = (name: string, body: string | Buffer, filename?: string): Buffer =>
  Buffer.concat([
    Buffer.from(
      `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"${filename === undefined ? '' : `; filename="${filename}"`}\r\n\r\n`,
    ),
    Buffer.from(body),
    Buffer.from('\r\n'),
  ]);
const form = (...parts: Buffer[]): Buffer => Buffer.concat([...parts, Buffer.from(`--${BOUNDARY}--\r\n`)]);
const post = (
  body: Buffer,
  headers: Record<string, string> = { 'content-type': `multipart/form-data; boundary=${BOUNDARY}` },
): Promise<Response> => fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: new Uint8Array(body), headers });

/** A form with a file of so many bytes, generated while it is sent. */
function* largeForm(bytes: number): Generator<Buffer> {
  yield part('video', '', 'large.mp4').subarray(0, -2);
  for (let left = bytes; left > 0; left -= 65_536) yield Buffer.alloc(Math.min(left, 65_536), 7);
  yield Buffer.from(`\r\n--${BOUNDARY}--\r\n`);
}

/** The folders of uploads that are under way or not yet removed. */
const leftovers = async (): Promise<string[]> => readdir(join(folder, (await readdir(folder))[0]!));

function send(headers: Record<string, string>, body: Readable): Promise<{ response: IncomingMessage; text: string }> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      {
        port,
        host: '127.0.0.1',
        method: 'POST',
        headers: { 'content-type': `multipart/form-data; boundary=${BOUNDARY}`, ...headers },
      },
      (response) => {
        let text = '';
        response
          .setEncoding('utf8')
          .on('data', (chunk: string) => (text += chunk))
          .on('end', () => resolve({ response, text }));
      },
    );
    request.on('error', reject);
    request.flushHeaders();
    body.pipe(request);
  });
}

test('a clip arrives whole, with its hash, its facts and its text; disposing it removes the file', async () => {
  const bytes = await readFile(await clip('plain'));
  const body = new FormData();
  body.set('video', new Blob([new Uint8Array(bytes)]), 'ünïcode "name".mp4');
  body.set('data', '{"title":"Grüße"}');
  const response = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body });
  expect(response.status).toBe(201);
  expect(await response.json()).toEqual({
    size: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    data: '{"title":"Grüße"}',
    facts: { duration: 1, width: 64, height: 48 },
  });
  expect(bytes.equals(await readFile(received!.original.path))).toBe(true);
  await received![Symbol.asyncDispose]();
  await expect(stat(received!.original.path)).rejects.toThrow('ENOENT');
});

test('the text may come before the file, or not at all', async () => {
  const file = part('video', await readFile(await clip('plain')), 'a.mp4');
  expect(await (await post(form(part('data', 'first'), file))).json()).toMatchObject({ data: 'first' });
  await received![Symbol.asyncDispose]();
  expect(await (await post(form(file))).json()).not.toHaveProperty('data');
});

describe('a wrong form is a 400 that says what to do, and leaves nothing', () => {
  const type = { 'content-type': `multipart/form-data; boundary=${BOUNDARY}` };
  test.each<[string, () => Buffer, Record<string, string>, RegExp]>([
    ['no multipart', () => Buffer.from('{}'), { 'content-type': 'application/json' }, /multipart\/form-data/],
    ['no boundary', () => form(part('video', 'x', 'a.mp4')), { 'content-type': 'multipart/form-data' }, /boundary/],
    [
      'another boundary',
      () => form(part('video', 'x', 'a.mp4')),
      { 'content-type': 'multipart/form-data; boundary=other' },
      /broken|ends too early/,
    ],
    ['no end', () => part('video', 'x', 'a.mp4').subarray(0, -2), type, /ends too early/],
    ['nothing in it', () => Buffer.from(''), type, /ends too early|no file/],
    ['no file', () => form(part('data', '{}')), type, /no file/],
    ['an empty file', () => form(part('video', '', 'a.mp4')), type, /empty/],
    ['the file in another field', () => form(part('file', 'x', 'a.mp4')), type, /field "file".*field "video"/],
    ['two files', () => form(part('video', 'x', 'a.mp4'), part('video', 'y', 'b.mp4')), type, /one file only/],
    ['the video as text', () => form(part('video', 'x')), type, /no file/],
    ['a text too long', () => form(part('data', 'x'.repeat(70_000)), part('video', 'x', 'a.mp4')), type, /longer than/],
    [
      'the text twice',
      () => form(part('data', 'x'), part('data', 'y'), part('video', 'x', 'a.mp4')),
      type,
      /once only/,
    ],
    [
      'too many fields',
      () => form(...Array.from({ length: 30 }, (_, index) => part(`f${index}`, 'x')), part('video', 'x', 'a.mp4')),
      type,
      /too many fields/,
    ],
  ])('%s', async (_what, body, headers, message) => {
    const response = await post(body(), headers);
    expect([response.status, await response.text()]).toEqual([400, expect.stringMatching(message)]);
    expect(failures[0]).toMatchObject({ code: 'invalid_upload', fields: [expect.anything()] });
    await eventually(async () => (await leftovers()).length === 0, { what: 'nothing is left' });
  });
});

describe('size', () => {
  test('exactly 50 MB are taken in, one byte more is a 413', async () => {
    options = { inspect: () => Promise.resolve({ facts: { duration: 1, width: 1, height: 1 } }) };
    expect((await send({}, Readable.from(largeForm(uploadLimits.maxBytes)))).response.statusCode).toBe(201);
    await received![Symbol.asyncDispose]();
    const over = await send({}, Readable.from(largeForm(uploadLimits.maxBytes + 1)));
    expect([over.response.statusCode, over.text]).toEqual([413, 'The video is larger than 50 MB.']);
    expect(await leftovers()).toEqual([]);
  });

  test('an endless upload is cut off while it arrives, and the client can read why', async () => {
    let sent = 0;
    const endless = Readable.from(
      (function* () {
        yield part('video', '', 'a.mp4').subarray(0, -2);
        for (;;) {
          sent += 65_536;
          yield Buffer.alloc(65_536);
        }
      })(),
    );
    const { response, text } = await send({}, endless);
    expect([response.statusCode, text]).toEqual([413, 'The video is larger than 50 MB.']);
    await eventually(() => endless.destroyed || endless.readableEnded || response.socket.destroyed, {
      what: 'the connection is closed',
      within: 15_000,
    });
    expect(sent).toBeLessThan(300 * 1024 * 1024);
  });

  const field = part('other', '').subarray(0, -2);
  test.each<[string, Buffer]>([
    ['a text field', field],
    ['what comes before the first part', Buffer.from('')],
    ['what comes after the last part', form(part('video', 'x', 'a.mp4'))],
  ])('%s without an end is cut off as well', async (_what, beginning) => {
    options = { limits: { ...uploadLimits, maxBytes: 1024 * 1024 } };
    const endless = Readable.from(
      (function* () {
        yield beginning;
        for (;;) yield Buffer.alloc(65_536, 'x');
      })(),
    );
    const { response, text } = await send({}, endless);
    expect([response.statusCode, text]).toEqual([413, 'The video is larger than 1 MB.']);
    endless.destroy();
    await eventually(async () => (await leftovers()).length === 0, { what: 'nothing is left' });
  });

  test('an upload that is announced as too large is refused before it is sent', async () => {
    const body = new PassThrough();
    const { response } = await send({ 'content-length': String(80 * 1024 * 1024) }, body);
    expect(response.statusCode).toBe(413);
    body.destroy();
  });

  test('a client that asks first (Expect: 100-continue) is told to go on', async () => {
    const body = form(part('video', await readFile(await clip('plain')), 'a.mp4'));
    const status = await new Promise((resolve, reject) => {
      const headers = {
        'content-type': `multipart/form-data; boundary=${BOUNDARY}`,
        expect: '100-continue',
        'content-length': String(body.length),
      };
      const request = httpRequest({ port, host: '127.0.0.1', method: 'POST', headers }, (response) =>
        resolve(response.resume().statusCode),
      ).on('error', reject);
      request.on('continue', () => request.end(body));
      request.flushHeaders();
    });
    expect(status).toBe(201);
  });

  test('memory stays flat while four times 50 MB arrive at once', async () => {
    options = { inspect: () => Promise.reject(new DomainError('unprocessable', 'x', 'x')) };
    const client = join(import.meta.dirname, '../../../tests/support/largeUploads.ts');
    const before = process.memoryUsage().rss;
    let most = 0;
    const timer = setInterval(() => {
      most = Math.max(most, process.memoryUsage().rss);
    }, 20);
    const { stdout } = await promisify(execFile)(process.execPath, [
      client,
      String(port),
      '4',
      String(uploadLimits.maxBytes),
    ]);
    clearInterval(timer);
    expect(stdout).toBe('422 422 422 422');
    // In memory they would take 200 MB. `bench/` checks the 100 MB that are promised.
    expect(most - before).toBeLessThan(150 * 1024 * 1024);
    expect(await leftovers()).toEqual([]);
  });
});

test('a client that disconnects in the middle leaves nothing', async () => {
  const socket = connect(port, '127.0.0.1');
  socket.write(
    `POST / HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=${BOUNDARY}\r\nContent-Length: 1000000\r\n\r\n`,
  );
  socket.write(part('video', Buffer.alloc(100_000), 'a.mp4').subarray(0, -2));
  await eventually(async () => (await leftovers()).length === 1, { what: 'the upload has begun' });
  socket.destroy();
  await eventually(async () => (await leftovers()).length === 0, { what: 'its file is gone' });
  expect(failures).toHaveLength(1);
});

test('an upload that stops in the middle is refused, and the client is told', async () => {
  options = { longestPause: 300 };
  const body = new PassThrough();
  const answer = send({}, body);
  body.write(part('video', Buffer.alloc(100_000), 'a.mp4').subarray(0, -2));
  const { response, text } = await answer;
  expect([response.statusCode, text]).toEqual([400, expect.stringMatching(/nothing came for 0.3 s/)]);
  // An answer with Retry-After is not stored for an Idempotency-Key.
  expect(failures).toEqual([expect.objectContaining({ code: 'upload_stalled', retryAfter: 1 })]);
  expect(await leftovers()).toEqual([]);
  body.destroy();
});

test('an upload that its signal ends leaves nothing', async () => {
  const giveUp = new AbortController();
  options = { signal: giveUp.signal };
  const body = new PassThrough();
  const answer = send({}, body);
  body.write(part('video', Buffer.alloc(100_000), 'a.mp4').subarray(0, -2));
  await eventually(async () => (await leftovers()).length === 1, { what: 'the upload has begun' });
  giveUp.abort(new Error('stopping'));
  expect((await answer).text).toBe('stopping');
  expect(await leftovers()).toEqual([]);
  body.destroy();
});

test('progress rises as the file arrives', async () => {
  const steps: number[] = [];
  options = {
    onReceived: (fraction) => steps.push(fraction),
    inspect: () => Promise.reject(new DomainError('unprocessable', 'x', 'x')),
  };
  const body = Buffer.concat([...largeForm(2_000_000)]);
  await post(body);
  expect(steps.length).toBeGreaterThan(5);
  expect(steps).toEqual([...steps].sort((a, b) => a - b));
  expect(steps.at(-1)).toBeCloseTo(1, 1);
});

describe("a disk with only the database's reserve left is a 503, and nothing stays on it", () => {
  test.each<[string, number[]]>([
    ['at the start', [300e6]],
    ['as it fills', [1e9, 200e6]],
  ])('%s', async (_what, free) => {
    options = { freeSpace: () => Promise.resolve(free.length > 1 ? free.shift()! : free[0]!) };
    const { response, text } = await send({}, Readable.from(largeForm(20 * 1024 * 1024)));
    expect([response.statusCode, text]).toEqual([503, expect.stringMatching(/no room/)]);
    expect(failures[0]).toMatchObject({ code: 'storage_full' });
    expect(await leftovers()).toEqual([]);
  });

  test('also when there is no room for a folder', async () => {
    options = {
      scratch: { ...scratch, make: () => Promise.reject(Object.assign(new Error('no space'), { code: 'ENOSPC' })) },
    };
    const { response } = await send({}, Readable.from(largeForm(1_000_000)));
    expect([response.statusCode, failures[0]]).toEqual([503, expect.objectContaining({ code: 'storage_full' })]);
  });
});

test('a file that cannot be inspected by a fault of ours is a 503, and leaves nothing', async () => {
  options = { inspect: () => Promise.reject(new ProbeFailed(new Error('spawn ffprobe EAGAIN'))) };
  const response = await post(form(part('video', 'x', 'a.mp4')));
  expect([response.status, await response.text()]).toEqual([503, expect.stringMatching(/try again/)]);
  expect(failures[0]).toMatchObject({ retryAfter: 5 });
  expect(await leftovers()).toEqual([]);
});

test('a file that is refused for its content leaves nothing', async () => {
  const response = await post(form(part('video', '#EXTM3U\n', 'a.mp4')));
  expect([response.status, await response.text()]).toEqual([415, expect.stringMatching(/playlist/)]);
  expect(await leftovers()).toEqual([]);
});
