import { hash } from 'node:crypto';

const FIRST_CAPACITY = 1_024;
const MOST_FILLED = 0.7;

/** A set of texts that remembers only their 64-bit hashes: 12 to 23 bytes for each, where a `Set` of strings needs 100. */
export interface KeySet {
  /** Returns false when the text, or another one with the same hash, is in the set already. */
  add(text: string): boolean;
}

/** With 5 million texts, two of them have the same hash in one case of a million. */
export function createKeySet(): KeySet {
  let capacity = FIRST_CAPACITY;
  let halves = new Uint32Array(2 * capacity);
  let size = 0;

  /** Linear probing. Both halves of an empty place are 0. */
  function insert(low: number, high: number): boolean {
    for (let place = low & (capacity - 1); ; place = (place + 1) & (capacity - 1)) {
      const [foundLow, foundHigh] = [halves[2 * place], halves[2 * place + 1]];
      if (foundLow === low && foundHigh === high) return false;
      if (foundLow === 0 && foundHigh === 0) {
        halves[2 * place] = low;
        halves[2 * place + 1] = high;
        return true;
      }
    }
  }

  function grow(): void {
    const before = halves;
    capacity *= 2;
    halves = new Uint32Array(2 * capacity);
    for (let n = 0; n < before.length; n += 2) {
      if (before[n] !== 0 || before[n + 1] !== 0) insert(before[n]!, before[n + 1]!);
    }
  }

  return {
    add(text) {
      const digest = hash('sha256', text, 'buffer');
      const isNew = insert(digest.readUInt32LE(0), digest.readUInt32LE(4) || 1);
      if (isNew && ++size > capacity * MOST_FILLED) grow();
      return isNew;
    },
  };
}
