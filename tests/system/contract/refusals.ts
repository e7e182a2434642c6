import { writeFile, rm } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect } from '@jest/globals';
import {
  call,
  getVideo,
  newPerson,
  setLike,
  toggleLike,
  upload,
  uploaded,
  type Answer,
} from '../../support/systemClient.ts';
import type { Setting } from './setting.ts';

const nobody = '00000000-0000-7000-8000-000000000000';
const MiB = 1024 * 1024;

export function refusalsContract({ system, systemTest, clip }: Setting): void {
  describe('a refusal has the envelope', () => {
    systemTest('an unknown route is 404', async () => {
      isFailure(await call(system().api(), 'GET', '/api/v1/nothing'), 404);
      isFailure(await call(system().api(), 'GET', '/nowhere'), 404);
    });

    systemTest('a known route with a method that it does not have is 405', async () => {
      const answer = await call(system().api(), 'PUT', '/api/v1/auth/login', { json: {} });
      isFailure(answer, 405);
      expect(answer.headers.get('allow')).toContain('POST');
    });

    systemTest('malformed JSON is 400, a body that is not JSON is 415', async () => {
      const headers = { 'content-type': 'application/json' };
      isFailure(await call(system().api(), 'POST', '/api/v1/auth/login', { headers, body: '{"email":' }), 400);
      const answer = await call(system().api(), 'POST', '/api/v1/auth/login', {
        headers: { 'content-type': 'text/plain' },
        body: 'email=x',
      });
      isFailure(answer, 415);
    });

    systemTest('a JSON body that is far too large is 413', async () => {
      const answer = await call(system().api(), 'POST', '/api/v1/auth/login', { json: { email: 'x'.repeat(3 * MiB) } });
      isFailure(answer, 413);
    });

    systemTest('a route that needs a login is 401 without one', async () => {
      for (const [method, path] of [
        ['GET', '/api/v1/auth/me'],
        ['POST', '/api/v1/video/upload'],
        ['POST', `/api/v1/video/${nobody}`],
        ['PUT', `/api/v1/video/${nobody}/like`],
        ['GET', '/api/v1/analytics?startDate=2025-01-01&endDate=2025-01-02'],
      ] as const) {
        isFailure(await call(system().api(), method, path), 401);
      }
    });

    systemTest('reading or liking a video that does not exist is 404', async () => {
      const person = await newPerson(system().api());
      isFailure(await getVideo(system().api(), nobody), 404);
      isFailure(await toggleLike(system().api(), nobody, person.token), 404);
      isFailure(await setLike(system().api(), nobody, person.token), 404);
    });

    systemTest('a page or limit out of bounds is 400', async () => {
      for (const query of ['page=0', 'limit=0', 'limit=101', 'page=x'])
        isFailure(await call(system().api(), 'GET', `/api/v1/video?${query}`), 400);
    });

    systemTest('an upload without a file, or with bad data, is 400', async () => {
      const person = await newPerson(system().api());
      const empty = new FormData();
      empty.set('data', JSON.stringify({ title: 'no file', description: '' }));
      isFailure(await call(system().api(), 'POST', '/api/v1/video/upload', { token: person.token, body: empty }), 400);
      isFailure(await upload(system().api(), person.token, clip(), { title: '' }), 400);
      isFailure(await upload(system().api(), person.token, clip(), { title: 'x'.repeat(201) }), 400);
    });

    systemTest('an upload whose content is not an mp4 is 415, whatever its name', async () => {
      const person = await newPerson(system().api());
      for (const content of [
        '#EXTM3U\nhttp://127.0.0.1/x.ts\n',
        '<svg xmlns="http://www.w3.org/2000/svg"/>',
        '#!/bin/sh\necho\n',
        '\u001aE\u00dfmatroska',
      ]) {
        await withFile(content, async (path) => isFailure(await upload(system().api(), person.token, path), 415));
      }
    });

    systemTest('an mp4 that cannot be decoded is 422', async () => {
      const person = await newPerson(system().api());
      const damaged = Buffer.concat([
        Buffer.from('000000206674797069736f6d0000020069736f6d69736f32617663316d703431', 'hex'),
        Buffer.alloc(5000, 7),
      ]);
      await withFile(damaged, async (path) => isFailure(await upload(system().api(), person.token, path), 422));
    });

    systemTest('an upload over 50 MB is 413', async () => {
      const person = await newPerson(system().api());
      const big = Buffer.concat([
        Buffer.from('000000206674797069736f6d0000020069736f6d69736f32617663316d703431', 'hex'),
        Buffer.alloc(51 * MiB),
      ]);
      await withFile(big, async (path) => isFailure(await upload(system().api(), person.token, path), 413));
    });

    systemTest('a command of the owner is 403 for any other user', async () => {
      const [owner, other] = [await newPerson(system().api()), await newPerson(system().api())];
      const { id } = await uploaded(system().api(), owner.token, clip());
      isFailure(
        await call(system().api(), 'PATCH', `/api/v1/video/${id}`, { token: other.token, json: { title: 'mine now' } }),
        403,
      );
      isFailure(await call(system().api(), 'DELETE', `/api/v1/video/${id}`, { token: other.token }), 403);
    });
  });
}

function isFailure(answer: Answer<unknown>, status: number): void {
  expect({ status: answer.status, body: answer.body }).toEqual({
    status,
    body: {
      success: false,
      statusCode: status,
      message: expect.any(String),
      code: expect.stringMatching(/^[a-z][a-z0-9_]*$/),
      errorMessages: expect.any(Array),
      requestId: expect.any(String),
    },
  });
}

async function withFile(content: string | Buffer, use: (path: string) => Promise<void>): Promise<void> {
  const path = join(tmpdir(), `reelstream-${randomUUID()}.mp4`);
  await writeFile(path, content);
  try {
    await use(path);
  } finally {
    await rm(path);
  }
}
