import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ObjectNotFound, type ObjectStore } from './objectStore.ts';

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** What every adapter of the port promises. */
export function describeObjectStore(name: string, open: () => Promise<ObjectStore>): void {
  describe(`${name} keeps the promises of an ObjectStore`, () => {
    let store: ObjectStore;
    let folder: string;
    const video = randomUUID();
    const bytes = randomBytes(300_000);
    const key = `videos/${video}/${randomUUID()}.mp4`;

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'object-store-'));
      await writeFile(join(folder, 'in'), bytes);
      store = await open();
    });
    afterAll(async () => {
      for await (const left of store.list(`videos/${video}/`)) await store.remove([left]);
      await rm(folder, { recursive: true, force: true });
    });

    test('what was stored is given back byte for byte, with its size, type and a strong ETag', async () => {
      await store.putFile(key, join(folder, 'in'), 'video/mp4');
      await store.getFile(key, join(folder, 'out'));
      expect(bytes.equals(await readFile(join(folder, 'out')))).toBe(true);
      expect(await store.stat(key)).toEqual({
        key,
        size: bytes.length,
        contentType: 'video/mp4',
        etag: expect.stringMatching(/^"[^"]+"$/),
      });
    });

    test('storing the same object again changes nothing', async () => {
      await store.putFile(key, join(folder, 'in'), 'video/mp4');
      await store.putFile(key, join(folder, 'in'), 'video/mp4');
      expect(await collect(store.list(`videos/${video}/`))).toEqual([key]);
      expect(bytes.equals(await buffer(await store.read(key)))).toBe(true);
    });

    test('a range has both its ends', async () => {
      expect(bytes.subarray(10, 20).equals(await buffer(await store.read(key, { start: 10, end: 19 })))).toBe(true);
    });

    test('an empty object and a large one come back whole', async () => {
      const large = randomBytes(20 * 1024 * 1024);
      for (const content of [Buffer.alloc(0), large]) {
        const other = `videos/${video}/${randomUUID()}.mp4`;
        await writeFile(join(folder, 'in2'), content);
        await store.putFile(other, join(folder, 'in2'), 'video/mp4');
        await store.getFile(other, join(folder, 'out2'));
        expect(content.equals(await readFile(join(folder, 'out2')))).toBe(true);
        await store.remove([other]);
      }
    });

    test('what is not there is undefined to stat, ObjectNotFound to those who want its bytes, and fine to remove', async () => {
      const missing = `videos/${video}/missing.mp4`;
      expect(await store.stat(missing)).toBeUndefined();
      await expect(store.read(missing)).rejects.toThrow(ObjectNotFound);
      await expect(store.getFile(missing, join(folder, 'nothing'))).rejects.toThrow(ObjectNotFound);
      await store.remove([missing]);
    });

    test('a list has the keys that begin with the prefix and no others', async () => {
      const [mine, other] = [`videos/${video}/list/a.mp4`, `videos/${randomUUID()}/a.mp4`];
      for (const each of [mine, other]) await store.putFile(each, join(folder, 'in'), 'video/mp4');
      expect(await collect(store.list(`videos/${video}/list/`))).toEqual([mine]);
      expect(await collect(store.list(`videos/${randomUUID()}/`))).toEqual([]);
      expect(await collect(store.list(`videos/${video.slice(0, 20)}`))).toContain(mine);
      await store.remove([mine, other]);
      expect(await collect(store.list(`videos/${video}/list/`))).toEqual([]);
    });

    test('removed is gone', async () => {
      const gone = `videos/${video}/${randomUUID()}.mp4`;
      await store.putFile(gone, join(folder, 'in'), 'video/mp4');
      await store.remove([gone]);
      expect(await store.stat(gone)).toBeUndefined();
    });

    test('an aborted upload leaves nothing', async () => {
      const aborted = `videos/${video}/${randomUUID()}.mp4`;
      await expect(store.putFile(aborted, join(folder, 'in'), 'video/mp4', AbortSignal.abort())).rejects.toMatchObject({
        name: 'AbortError',
      });
      expect(await store.stat(aborted)).toBeUndefined();
    });

    test.each([
      '../outside',
      'videos/../../outside',
      '/etc/passwd',
      'videos//x',
      '.incoming/x',
      'videos/.hidden',
      'a\0b',
      'a\\b',
      '',
    ])('the key %j is refused', async (bad) => {
      await expect((async () => store.putFile(bad, join(folder, 'in'), 'video/mp4'))()).rejects.toThrow(TypeError);
      await expect((async () => store.stat(bad))()).rejects.toThrow(TypeError);
    });

    test('the address ends with the key', () => {
      expect(store.url(key)).toMatch(new RegExp(`^http.*/${key}$`));
    });

    test('a store that works says so', async () => {
      await store.check();
    });
  });
}
