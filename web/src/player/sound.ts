import { useSyncExternalStore } from 'react';
import { remember, remembered } from '../storage.ts';

/** Browsers play sound only after a gesture, so a page starts without it even if the reader chose sound last time. */
let isWanted = remembered('sound') === 'on';
let isAllowed = false;
const listeners = new Set<() => void>();

/** Whether videos play without sound now. */
export function useMuted(): boolean {
  return useSyncExternalStore(subscribe, isMuted);
}

export function isMuted(): boolean {
  return !(isWanted && isAllowed);
}

/** The choice of the reader. Must be called in a gesture. */
export function setMuted(muted: boolean): void {
  isWanted = !muted;
  isAllowed ||= isWanted;
  remember('sound', muted ? 'off' : 'on');
  tell();
}

/** The browser refused to play with sound: the next gesture allows it. */
export function refuseSound(): void {
  isAllowed = false;
  tell();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function tell(): void {
  for (const listener of listeners) listener();
}

function allow({ isTrusted }: Event): void {
  if (!isTrusted || isAllowed) return;
  isAllowed = true;
  tell();
}

// After the handlers of the page: a key or a click that switches the sound must act on what the reader hears.
addEventListener('click', allow);
addEventListener('keyup', allow);
