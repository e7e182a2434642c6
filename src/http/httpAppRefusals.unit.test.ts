import { describe, expect, test } from '@jest/globals';
import { raw, useHttpApp } from '../../tests/support/httpAppRoutes.ts';

const { app, call, postThing } = useHttpApp();

describe('an invalid request', () => {
  test('is told what is wrong, one message per field', async () => {
    const { status, body } = await postThing({ tags: ['a', 1] }, {}, '/things/this-name-is-far-too-long?size=x');
    expect(status).toBe(400);
    expect(body).toMatchObject({ success: false, statusCode: 400, code: 'validation_failed' });
    expect(body.errorMessages.map(({ path }) => path)).toEqual(['thing', 'size', 'name', 'tags.1']);
    expect(body.errorMessages).toContainEqual({ path: 'name', message: 'name is required' });
    expect(body.message).toBe(body.errorMessages[0]?.message);
  });

  test.each([
    ['nothing at all', {}, undefined, 400, 'validation_failed'],
    ['broken JSON', { 'content-type': 'application/json' }, '{"name":', 400, 'malformed_json'],
    ['a form', { 'content-type': 'application/x-www-form-urlencoded' }, 'name=abc', 415, 'unsupported_media_type'],
    ['no content type', { 'content-type': '' }, '{"name":"abc"}', 415, 'unsupported_media_type'],
    [
      'a charset of old',
      { 'content-type': 'application/json; charset=koi8-r' },
      '{"name":"abc"}',
      415,
      'unsupported_charset',
    ],
    [
      'an encoding of nobody',
      { 'content-type': 'application/json', 'content-encoding': 'zip' },
      '{"name":"abc"}',
      415,
      'unsupported_encoding',
    ],
    [
      'too much',
      { 'content-type': 'application/json' },
      JSON.stringify({ name: 'x'.repeat(200_000) }),
      413,
      'body_too_large',
    ],
    ['JSON that is no object', { 'content-type': 'application/json' }, '7', 400, 'validation_failed'],
    ['a NUL character', { 'content-type': 'application/json' }, '{"name":"ab\\u0000c"}', 400, 'validation_failed'],
    [
      'half a surrogate pair',
      { 'content-type': 'application/json' },
      '{"name":"ab\\ud800c"}',
      400,
      'validation_failed',
    ],
    [
      '100 KB of brackets',
      { 'content-type': 'application/json' },
      `{"name":${'['.repeat(50_000)}${']'.repeat(50_000)}}`,
      400,
      'validation_failed',
    ],
    [
      'a position that is none',
      { 'content-type': 'application/json', 'x-min-position': '-1' },
      '{"name":"abc"}',
      400,
      'invalid_min_position',
    ],
    [
      'a position beyond all',
      { 'content-type': 'application/json', 'x-min-position': '9223372036854775808' },
      '{"name":"abc"}',
      400,
      'invalid_min_position',
    ],
    [
      'a key with spaces',
      { 'content-type': 'application/json', 'idempotency-key': 'a b' },
      '{"name":"abc"}',
      400,
      'invalid_idempotency_key',
    ],
  ])('is refused when it sends %s', async (_what, headers, body, status, code) => {
    const answer = await call('/things/one', {
      method: 'POST',
      headers: headers as Record<string, string>,
      ...(body !== undefined && { body: Buffer.from(body) }),
    });
    expect([answer.status, answer.body.code, answer.body.statusCode]).toEqual([status, code, status]);
    expect(answer.body.requestId).toBe(answer.headers.get('x-request-id'));
  });

  test('finds nothing at an unknown address', async () => {
    const { status, body } = await call('/api/v1/nowhere');
    expect([status, body.success, body.code]).toEqual([404, false, 'route_not_found']);
  });

  test('hears which methods a known address has', async () => {
    const { status, headers, body } = await call('/things/special', { method: 'DELETE' });
    expect([status, headers.get('allow'), body.code]).toEqual([405, 'GET, HEAD, OPTIONS', 'method_not_allowed']);
  });

  test('is refused in the same form when it is no HTTP, or too much of it', async () => {
    for (const [text, status, code] of [
      ['GET /bytes HTTP/1.1\r\nHost: x\r\nbad header\r\n\r\n', 400, 'malformed_request'],
      [`GET /bytes HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`, 431, 'headers_too_large'],
    ] as const) {
      const [head = '', body = ''] = (await raw(app().port, text)).split('\r\n\r\n');
      expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} .*\r\n(.*\r\n)*X-Request-Id: \\S+`));
      expect(JSON.parse(body)).toEqual({
        success: false,
        statusCode: status,
        message: expect.any(String),
        code,
        errorMessages: [],
        requestId: expect.any(String),
      });
    }
  });

  test('is refused when its address cannot be decoded', async () => {
    const { status, body } = await call('/things/%ff');
    expect([status, body.code]).toEqual([400, 'bad_request']);
  });
});

describe('an error', () => {
  test.each([
    ['bug', 500, 'internal_error', null],
    ['text', 500, 'internal_error', null],
    ['missingFile', 500, 'internal_error', null],
    ['conflict', 409, 'conflict', '1'],
    ['store', 503, 'event_store_unavailable', '1'],
    ['objects', 503, 'object_store_unavailable', '1'],
    ['database', 503, 'database_unavailable', '1'],
    ['busy', 503, 'busy', '3'],
  ])('of the kind "%s" becomes %i %s and shows nothing of the inside', async (what, status, code, retryAfter) => {
    const { headers, body, ...answer } = await call(`/throw/${what}`);
    expect([answer.status, body.code, headers.get('retry-after')]).toEqual([status, code, retryAfter]);
    // A request id is a random UUID, which may contain any of the short words.
    expect(JSON.stringify({ ...body, requestId: '' })).not.toMatch(/secret|passwd|db-7|bucket x|10\.1\.2\.3|video-1/);
  });

  test('of a conflict is a failed precondition when the client named its version', async () => {
    const { status, body } = await call('/throw/conflict', { headers: { 'if-match': '"1"' } });
    expect([status, body.code]).toEqual([412, 'precondition_failed']);
  });

  test('after half an answer cuts the connection, so that the client notices', async () => {
    await expect(fetch(`${app().url}/half`).then((response) => response.text())).rejects.toThrow();
    expect((await call('/bytes')).status).toBe(200);
  });

  test('that is our fault is logged with its cause under the name of the request', async () => {
    await call('/throw/bug', { headers: { 'x-request-id': 'find-me' } });
    expect(app().logged).toContainEqual(
      expect.objectContaining({
        requestId: 'find-me',
        err: expect.objectContaining({ message: expect.stringContaining('secret detail') }),
      }),
    );
  });
});
