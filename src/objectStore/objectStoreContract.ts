import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ObjectNotFound, type ObjectStore } from './objectStore.ts';

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** The tests that every adapter of the port must pass. */
export function describeObjectStore(name: string, open: () => Promise<ObjectStore>): void {
  describe(`${name} is an ObjectStore`, () => {
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

    test('returns what was stored, byte for byte', async () => {
      await store.putFile(key, join(folder, 'in'), 'video/mp4');
      await store.getFile(key, join(folder, 'out'));
      expect(bytes.equals(await readFile(join(folder, 'out')))).toBe(true);
    });

    test('changes nothing when the same object is stored again', async () => {
      await store.putFile(key, join(folder, 'in'), 'video/mp4');
      await store.putFile(key, join(folder, 'in'), 'video/mp4');
      expect(await collect(store.list(`videos/${video}/`))).toEqual([key]);
      await store.getFile(key, join(folder, 'again'));
      expect(bytes.equals(await readFile(join(folder, 'again')))).toBe(true);
    });

    test('returns an empty object and a large one', async () => {
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

    test('throws ObjectNotFound when a missing object is read, and ignores it when it is removed', async () => {
      const missing = `videos/${video}/missing.mp4`;
      await expect(store.getFile(missing, join(folder, 'nothing'))).rejects.toThrow(ObjectNotFound);
      await store.remove([missing]);
    });

    test('lists the keys that begin with the prefix and no others', async () => {
      const [mine, other] = [`videos/${video}/list/a.mp4`, `videos/${randomUUID()}/a.mp4`];
      for (const each of [mine, other]) await store.putFile(each, join(folder, 'in'), 'video/mp4');
      expect(await collect(store.list(`videos/${video}/list/`))).toEqual([mine]);
      expect(await collect(store.list(`videos/${randomUUID()}/`))).toEqual([]);
      expect(await collect(store.list(`videos/${video.slice(0, 20)}`))).toContain(mine);
      await store.remove([mine, other]);
      expect(await collect(store.list(`videos/${video}/list/`))).toEqual([]);
    });

    test('copies an object, also again, and each of the two is removed without the other', async () => {
      const [from, to] = [`videos/${video}/${randomUUID()}.mp4`, `private/${video}/part/${randomUUID()}.mp4`];
      await store.putFile(from, join(folder, 'in'), 'video/mp4');
      for (let times = 0; times < 2; times++) await store.copy(from, to);
      await store.remove([from]);
      await store.getFile(to, join(folder, 'copied'));
      expect(bytes.equals(await readFile(join(folder, 'copied')))).toBe(true);
      await store.remove([to]);
      await expect(store.copy(from, to)).rejects.toThrow(ObjectNotFound);
    });

    test('signs the URL of a private object', () => {
      expect(store.url(`private/${video}/a.mp4`)).toMatch(
        new RegExp(`^http.*/media/private/\\d+\\.[\\w-]{43}/${video}/a\\.mp4$`),
      );
    });

    test('removes an object', async () => {
      const removed = `videos/${video}/${randomUUID()}.mp4`;
      await store.putFile(removed, join(folder, 'in'), 'video/mp4');
      await store.remove([removed]);
      await expect(store.getFile(removed, join(folder, 'nothing'))).rejects.toThrow(ObjectNotFound);
    });

    test('leaves nothing of an aborted upload', async () => {
      const aborted = `videos/${video}/${randomUUID()}.mp4`;
      await expect(store.putFile(aborted, join(folder, 'in'), 'video/mp4', AbortSignal.abort())).rejects.toMatchObject({
        name: 'AbortError',
      });
      await expect(store.getFile(aborted, join(folder, 'nothing'))).rejects.toThrow(ObjectNotFound);
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
    ])('refuses the key %j', async (bad) => {
      await expect((async () => store.putFile(bad, join(folder, 'in'), 'video/mp4'))()).rejects.toThrow(TypeError);
      await expect((async () => store.getFile(bad, join(folder, 'nothing')))()).rejects.toThrow(TypeError);
    });

    test('makes a URL that ends with the key', () => {
      expect(store.url(key)).toMatch(new RegExp(`^http.*/${key}$`));
    });

    test('passes its check while it works', async () => {
      await store.check();
    });
  });
}
