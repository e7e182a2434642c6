/** Counts what each key has at a time, and refuses more than its share. */
export interface Places {
  /** Takes a place; call the result, once or more often, to give it back. Undefined: the key has all of its places. */
  take(key: string): (() => void) | undefined;
}

export function createPlaces(perKey: number): Places {
  const taken = new Map<string, number>();
  return {
    take(key) {
      const before = taken.get(key) ?? 0;
      if (before >= perKey) return undefined;
      taken.set(key, before + 1);
      let given = false;
      return () => {
        if (given) return;
        given = true;
        const left = taken.get(key)! - 1;
        if (left === 0) taken.delete(key);
        else taken.set(key, left);
      };
    },
  };
}
