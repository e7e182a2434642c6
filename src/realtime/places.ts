/** Limits how many places each key may hold at a time. */
export interface Places {
  /**
   * Takes a place. Call the result to give it back; more calls have no effect. Undefined: the key has no free place.
   */
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
