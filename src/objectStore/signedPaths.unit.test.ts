import { describe, expect, test } from '@jest/globals';
import { fc } from '../../tests/support/property.ts';
import { createSignedPaths, type SignedPaths } from './signedPaths.ts';

const secret = 'a secret of this installation';
const key = 'private/01980a3c-5b1e-7c3a-9f52-7d1f0a6b2c11/5f1c.mp4';
const at = (ms: number, of = secret): SignedPaths => createSignedPaths({ secrets: () => [of], clock: () => ms });
const MINUTE = 60_000;

describe('a signed path', () => {
  test('opens its object for 55 to 60 minutes, and then says that it has ended', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4e12 }), (now) => {
        const path = at(now).sign(key);
        for (const later of [0, 54 * MINUTE + 59_000])
          expect(at(now + later).open(path)).toMatchObject({ status: 'signed', key });
        expect(at(now + 60 * MINUTE).open(path)).toEqual({ status: 'ended' });
      }),
    );
  });

  test('is the same within five minutes, and a new one comes before it ends', () => {
    const start = Date.parse('2026-03-01T12:00:00Z');
    const path = at(start).sign(key);
    expect(at(start + 5 * MINUTE - 1).sign(key)).toBe(path);
    expect(at(start + 5 * MINUTE).sign(key)).not.toBe(path);
  });

  test('is signed for all objects of its video, also in folders, and for no other video', () => {
    const path = at(0).sign('private/v1/hls-ab/master.m3u8');
    const beside = new URL('../hls-ab/720/0.m4s', `http://x/media/${path}`).pathname.replace('/media/', '');
    expect(at(0).open(beside)).toMatchObject({ status: 'signed', key: 'private/v1/hls-ab/720/0.m4s' });
    expect(at(0).open(path.replace('/v1/', '/v2/'))).toEqual({ status: 'unsigned' });
  });

  test('cannot be made longer, or by another installation', () => {
    const path = at(0).sign(key);
    const [, expires] = /private\/(\d+)\./.exec(path)!;
    expect(at(0).open(path.replace(expires!, String(Number(expires) + 1)))).toEqual({ status: 'unsigned' });
    expect(at(0).open(at(0, 'another').sign(key))).toEqual({ status: 'unsigned' });
  });

  test('opens with each secret that is accepted, and is signed with the first', () => {
    let accepted = [secret];
    const paths = createSignedPaths({ secrets: () => accepted, clock: () => 0 });
    const before = paths.sign(key);
    accepted = ['the next one', secret];
    const after = paths.sign(key);
    expect(after).not.toBe(before);
    for (const path of [before, after]) expect(paths.open(path)).toMatchObject({ status: 'signed', key });
    accepted = ['the next one'];
    expect(paths.open(before)).toEqual({ status: 'unsigned' });
    expect(paths.open(after)).toMatchObject({ status: 'signed', key });
  });

  test('never opens what is not private, or another folder', () => {
    const [, signed] = /^private\/([^/]+)\//.exec(at(0).sign('private/v1/a.mp4'))!;
    const paths = ['v1/../../originals/v1/a.mp4', 'v1/..%2Fx', 'v1/.hidden', 'v1//a', 'v1/', 'v1'].map(
      (rest) => `private/${signed}/${rest}`,
    );
    for (const path of [...paths, key, 'private/x.y/v1/a.mp4', 'originals/v1/a.mp4', 'videos/v1/a.mp4', ''])
      expect([path, at(0).open(path)]).toEqual([path, { status: 'unsigned' }]);
  });

  test('is made for private objects only', () => {
    for (const other of ['videos/v1/a.mp4', 'originals/v1/a.mp4', 'private/a.mp4'])
      expect(() => at(0).sign(other)).toThrow(TypeError);
  });
});
