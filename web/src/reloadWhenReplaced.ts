import { isServerThere } from './api/isServerThere.ts';

const RELOADED_AT = 'reelstream.reloadedAt';
/** Milliseconds. A second failure within this time has another cause, so the page shows it. */
const AGAIN = 30_000;

/**
 * The server has a newer page than this tab, and no longer has the files of the old one: the tab loads the new page. Vite sends this
 * event when a file that is loaded on demand is missing. While the server is away, what is on the screen stays.
 */
export function reloadWhenReplaced(): void {
  addEventListener('vite:preloadError', () => {
    const last = Number(sessionStorage.getItem(RELOADED_AT) ?? 0);
    if (Date.now() - last < AGAIN) return;
    void isServerThere().then((isThere) => {
      if (!isThere) return;
      sessionStorage.setItem(RELOADED_AT, String(Date.now()));
      location.reload();
    });
  });
}
