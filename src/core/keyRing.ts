/** A key that can be replaced while processes run: the one in use, and others that are accepted beside it. */
export interface KeyRing<Key> {
  /** The first one signs and encrypts. The array is the same object until a key changes. */
  keys(): readonly Key[];
  /** Looks for other keys where they are kept. Returns whether there were any. Cheap enough for every invalid token. */
  refresh(): boolean;
}

/** A ring that never changes. */
export function fixedKeys<Key>(...keys: readonly Key[]): KeyRing<Key> {
  return { keys: () => keys, refresh: () => false };
}

/** What is made of each key, once for each change of the ring. */
export function madeOf<Key, Made>(ring: Pick<KeyRing<Key>, 'keys'>, make: (key: Key) => Made): () => readonly Made[] {
  let source: readonly Key[] | undefined;
  let made: readonly Made[] = [];
  return () => {
    const keys = ring.keys();
    if (keys !== source) [source, made] = [keys, keys.map(make)];
    return made;
  };
}

/** The first result that is not undefined, with the keys of the ring in their order, and once more after they changed. */
export function firstOf<Key, Result>(
  ring: Pick<KeyRing<unknown>, 'refresh'>,
  keys: () => readonly Key[],
  attempt: (key: Key) => Result | undefined,
): Result | undefined {
  for (;;) {
    for (const key of keys()) {
      const result = attempt(key);
      if (result !== undefined) return result;
    }
    if (!ring.refresh()) return undefined;
  }
}
