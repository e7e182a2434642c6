import type { Locator, Page } from 'playwright-core';

/** The item in view. The others are inert: nobody can reach them. */
export const current = (page: Page): Locator => page.locator('article:not([inert])');

export async function inView(page: Page, title: string): Promise<void> {
  await current(page).filter({ hasText: title }).waitFor();
}

/** The video in view goes on, and shows its picture. */
export async function plays(page: Page): Promise<void> {
  await page.waitForFunction(() => {
    const video = document.querySelector<HTMLVideoElement>('article:not([inert]) video');
    return video !== null && !video.paused && video.currentTime > 0;
  });
}
