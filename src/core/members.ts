/** What comes and goes all the time, such as requests under way. */
export interface Members<T> {
  /** The returned function removes it; calling it again has no effect. */
  add(member: T): () => void;
  /** Those that are here now, in the order in which they came. */
  all(): T[];
  /** The one that has been here longest. */
  readonly first: T | undefined;
  readonly size: number;
}

interface Link<T> {
  readonly member: T;
  before: Link<T> | undefined;
  after: Link<T> | undefined;
}

/**
 * A Set would do, but for V8's garbage collection. A Set or Map that changes all the time gets a new table every few changes, and each
 * table refers to the one that replaced it. Once one of them has become old, all later ones become old too, with all that was in them,
 * and only a collection of the whole heap frees them. A link that is removed here refers to nothing.
 */
export function createMembers<T>(): Members<T> {
  let first: Link<T> | undefined;
  let last: Link<T> | undefined;
  let size = 0;

  function remove(link: Link<T>): void {
    const { before, after } = link;
    if (before === undefined) first = after;
    else before.after = after;
    if (after === undefined) last = before;
    else after.before = before;
    link.before = link.after = undefined;
    size--;
  }

  return {
    add(member) {
      const link: Link<T> = { member, before: last, after: undefined };
      if (last === undefined) first = link;
      else last.after = link;
      last = link;
      size++;
      let isHere = true;
      return () => {
        if (isHere) remove(link);
        isHere = false;
      };
    },
    all() {
      const members: T[] = [];
      for (let link = first; link !== undefined; link = link.after) members.push(link.member);
      return members;
    },
    get first() {
      return first?.member;
    },
    get size() {
      return size;
    },
  };
}
