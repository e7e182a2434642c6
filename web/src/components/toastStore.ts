/** A message that goes away by itself, with at most one action, such as Undo. */
export interface Toast {
  readonly id: number;
  readonly text: string;
  readonly tone: 'neutral' | 'good' | 'bad';
  readonly action?: { readonly label: string; readonly run: () => void } | undefined;
}

/** Milliseconds. Long enough to read it and to reach the action. */
const SHOWN_FOR = 8_000;

/** At most so many messages without an action are shown at the same time. One with an action stays for its whole time. */
const MOST = 3;

let toasts: readonly Toast[] = [];
let lastId = 0;
const listeners = new Set<() => void>();

export function currentToasts(): readonly Toast[] {
  return toasts;
}

export function onToasts(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** @param shownFor milliseconds @returns the id, for `closeToast`. */
export function showToast(
  text: string,
  options: Partial<Pick<Toast, 'tone' | 'action'>> & { readonly shownFor?: number } = {},
): number {
  const { tone = 'neutral', action, shownFor = SHOWN_FOR } = options;
  const id = ++lastId;
  set(withoutOldest([...toasts, { id, text, tone, action }]));
  setTimeout(() => closeToast(id), shownFor);
  return id;
}

export function closeToast(id: number): void {
  set(toasts.filter((toast) => toast.id !== id));
}

function withoutOldest(all: readonly Toast[]): readonly Toast[] {
  const kept = all.filter(({ action }) => action === undefined).slice(-MOST);
  return all.filter((toast) => toast.action !== undefined || kept.includes(toast));
}

function set(next: readonly Toast[]): void {
  toasts = next;
  for (const listener of listeners) listener();
}
