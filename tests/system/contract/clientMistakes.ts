import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { describe, expect } from '@jest/globals';
import { eventually } from '../../support/eventually.ts';
import { call, newPerson, someone, uploaded } from '../../support/systemClient.ts';
import type { Setting } from './setting.ts';

interface LogLine {
  readonly level: string;
  readonly requestId?: string;
  readonly status?: number;
  readonly msg: string;
  readonly err?: object;
}

/** Sends these bytes and closes the connection, at once or at the first answer. */
async function hangUp(url: string, bytes: string, when: 'at once' | 'at the answer'): Promise<void> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  await new Promise<void>((resolve) => socket.write(bytes, () => resolve()));
  if (when === 'at the answer') await new Promise((resolve) => socket.once('data', resolve));
  socket.resetAndDestroy();
}

export function clientMistakesContract({ system, systemTest, clip }: Setting): void {
  const logLines = (requestId: string): LogLine[] =>
    system()
      .processes.flatMap(({ logFile }) => readFileSync(logFile, 'utf8').split('\n'))
      .filter((line) => line.startsWith('{') && line.includes(requestId))
      .map((line) => JSON.parse(line) as LogLine);

  /** Waits until the request is logged, at `info` and without a stack. */
  async function isNoFaultOfOurs(requestId: string, status: number): Promise<void> {
    await eventually(() => logLines(requestId).some((line) => line.status === status), {
      what: `${requestId} is logged as ${status}`,
    });
    expect(logLines(requestId).map(({ level, err }) => ({ level, err }))).toEqual([{ level: 'info', err: undefined }]);
  }

  describe('what a client does wrong', () => {
    systemTest(
      'an upload or a body that its client abandons is logged once, as a request with status 499',
      async () => {
        const api = system().api();
        const { token } = await newPerson(api);
        const part = '--B\r\nContent-Disposition: form-data; name="video"; filename="a.mp4"\r\n\r\nonly the beginning';
        const head = `Host: x\r\nAuthorization: Bearer ${token}\r\nContent-Length: 100000\r\n`;
        await hangUp(
          api,
          `POST /api/v1/video/upload HTTP/1.1\r\n${head}X-Request-Id: given-up-upload\r\nContent-Type: multipart/form-data; boundary=B\r\n\r\n${part}`,
          'at once',
        );
        await hangUp(
          api,
          `POST /api/v1/auth/login HTTP/1.1\r\n${head}X-Request-Id: given-up-body\r\nContent-Type: application/json\r\n\r\n{"email"`,
          'at once',
        );
        const video = await uploaded(api, token, clip());
        if (system().profile === 'embedded') {
          await hangUp(
            api,
            `GET ${new URL(video.url!).pathname} HTTP/1.1\r\nHost: x\r\nX-Request-Id: given-up-download\r\nRange: bytes=0-\r\n\r\n`,
            'at the answer',
          );
        }
        // A failure would be logged after the connection is closed. When these requests are logged too, it must have
        // been.
        await call(api, 'GET', '/api/v1/video/not-a-video', { headers: { 'x-request-id': 'an-ordinary-mistake' } });
        await isNoFaultOfOurs('an-ordinary-mistake', 404);
        await isNoFaultOfOurs('given-up-upload', 499);
        await isNoFaultOfOurs('given-up-body', 499);
        expect(logLines('given-up-download').filter(({ level, err }) => level !== 'info' || err !== undefined)).toEqual(
          [],
        );
      },
    );

    systemTest(
      'a position beyond the end of the log is 400; one that another process has just written is not',
      async () => {
        const { position } = await call(system().api(), 'POST', '/api/v1/auth/register', { json: someone() });
        for (const api of system().apis) {
          const headers = { 'x-min-position': String(position! + 1_000_000_000n), 'x-request-id': 'beyond-the-head' };
          const answer = await call(api, 'GET', '/api/v1/video', { headers });
          expect([answer.status, answer.body.code]).toEqual([400, 'position_unknown']);
          const malformed = await call(api, 'GET', '/api/v1/video', {
            headers: { 'x-min-position': 'soon', 'x-request-id': 'beyond-the-head' },
          });
          expect([malformed.status, malformed.body.code]).toEqual([400, 'invalid_min_position']);
          const { position: fresh } = await call(system().api(), 'POST', '/api/v1/auth/register', { json: someone() });
          expect((await call(api, 'GET', '/api/v1/video', { after: fresh })).status).toBe(200);
        }
        const lines = await eventually(() => logLines('beyond-the-head'), {
          what: 'every refusal is logged',
          holds: ({ length }) => length === 2 * system().apis.length,
        });
        expect(lines.filter(({ level, err }) => level !== 'info' || err !== undefined)).toEqual([]);
      },
    );
  });
}
