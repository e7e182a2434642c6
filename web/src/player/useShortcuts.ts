import { useEffect, useEffectEvent, useSyncExternalStore } from 'react';
import { remember, remembered } from '../storage.ts';

/** People who speak to their computer can switch letters off: single letters would act while they dictate. */
let hasLetters = remembered('letterKeys') !== 'off';
const listeners = new Set<() => void>();

export function useLetterKeys(): boolean {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => hasLetters,
  );
}

export function setLetterKeys(on: boolean): void {
  hasLetters = on;
  remember('letterKeys', on ? 'on' : 'off');
  for (const listener of listeners) listener();
}

type Shortcuts = Readonly<Record<string, (() => void) | undefined>>;

/** Acts on keys (`KeyboardEvent.key`; letters in lower case) unless they belong to what has the focus. */
export function useShortcuts(shortcuts: Shortcuts, isActive = true): void {
  const onKey = useEffectEvent((event: KeyboardEvent) => {
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const act = Object.hasOwn(shortcuts, key) ? shortcuts[key] : undefined;
    if (act === undefined || isTaken(event, key)) return;
    event.preventDefault();
    act();
  });
  useEffect(() => {
    if (!isActive) return;
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, [isActive]);
}

function isTaken(event: KeyboardEvent, key: string): boolean {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return true;
  if (/^[a-z]$/.test(key) && !hasLetters) return true;
  const focused = event.target instanceof Element ? event.target : document.body;
  if (focused.closest('dialog[open], input:not([type="range"]), textarea, select, [contenteditable]')) return true;
  if (focused.matches('input[type="range"]')) return /^(?:Arrow|Page|Home|End)/.test(key);
  return key === ' ' && focused.matches('button, a, summary');
}
