import { useSyncExternalStore } from 'react';

/** Whether a media query of CSS holds. */
export function useMedia(query: string): boolean {
  return useSyncExternalStore(
    (listener) => {
      const media = matchMedia(query);
      media.addEventListener('change', listener);
      return () => media.removeEventListener('change', listener);
    },
    () => matchMedia(query).matches,
  );
}

/** The reader wants nothing to move by itself. */
export function useCalm(): boolean {
  return useMedia('(prefers-reduced-motion: reduce)');
}
