import { showToast } from '../components/toastStore.ts';

/** Offers the link of a video to other apps, where the system can; copies it otherwise. */
export async function share({ id, title }: { readonly id: string; readonly title: string }): Promise<void> {
  const url = new URL(`/v/${id}`, location.origin).href;
  if (isTouched() && 'share' in navigator) {
    // Closing the system's dialog is no error.
    return navigator.share({ title, url }).catch(() => undefined);
  }
  if (await copied(url)) showToast('Link copied.', { tone: 'good', shownFor: 4_000 });
  else showToast(`The link is ${url}`, { shownFor: 30_000 });
}

/** Systems without touch have a poor dialog for it, or none. */
function isTouched(): boolean {
  return matchMedia('(pointer: coarse)').matches;
}

async function copied(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Pages from another machine without https have no clipboard.
    return copiedFromField(text);
  }
}

function copiedFromField(text: string): boolean {
  const field = document.createElement('textarea');
  field.value = text;
  field.className = 'visually-hidden';
  document.body.append(field);
  field.select();
  try {
    return document.execCommand('copy');
  } finally {
    field.remove();
  }
}
