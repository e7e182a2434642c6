/** What this browser remembers between visits. It remembers nothing where it does not allow pages to store anything. */
export function remembered(name: string): string | null {
  try {
    return localStorage.getItem(`reelstream.${name}`);
  } catch {
    return null;
  }
}

/** `null` forgets the value. */
export function remember(name: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(`reelstream.${name}`);
    else localStorage.setItem(`reelstream.${name}`, value);
  } catch {
    // The choice lasts as long as the page.
  }
}
