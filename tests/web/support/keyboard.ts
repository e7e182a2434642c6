import type { Page } from 'playwright-core';

/** What pressing Tab through a page shows. Each list has a line for each element that breaks its rule. */
export interface Walk {
  /** How many elements got the focus. */
  readonly visited: number;
  readonly unreached: readonly string[];
  readonly withoutFocusRing: readonly string[];
  /** Outside the window, or behind something else, when they have the focus. */
  readonly hidden: readonly string[];
}

/** More than any page has. */
const MOST = 250;

/** Presses Tab from the top of the page until it comes round. */
export async function walk(page: Page): Promise<Walk> {
  await page.evaluate(START);
  for (let step = 0; step < MOST; step++) {
    await page.keyboard.press('Tab');
    if (await page.evaluate<boolean>(STEP)) break;
  }
  return page.evaluate<Walk>(END);
}

const START = `(() => {
  // Tab goes on from where the focus was last: from the top, also on a page that gives the focus to a field.
  const top = document.createElement('span');
  top.tabIndex = -1;
  document.body.prepend(top);
  top.focus();
  top.remove();
  window.__walk = { seen: new Set(), withoutFocusRing: [], hidden: [] };
  window.__nameOf = (element) =>
    element.tagName.toLowerCase() + ' ' +
    JSON.stringify((element.getAttribute('aria-label') ?? element.textContent ?? '').trim().slice(0, 40) || element.outerHTML.slice(0, 80));
})()`;

/** True when the focus has come round. */
const STEP = `(() => {
  const walk = window.__walk;
  const element = document.activeElement;
  if (element === null || element === document.body || element === document.documentElement) return walk.seen.size > 0;
  // Of a video with controls, each control is a stop.
  if (element === walk.last) return false;
  walk.last = element;
  if (walk.seen.has(element)) return true;
  walk.seen.add(element);
  const style = getComputedStyle(element);
  const ring = (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== 'none';
  if (!ring) walk.withoutFocusRing.push(window.__nameOf(element));
  const { left, top, right, bottom } = element.getBoundingClientRect();
  const points = [0.5, 0.1, 0.9].flatMap((x) => [0.5, 0.1, 0.9].map((y) => [left + (right - left) * x, top + (bottom - top) * y]));
  const shown = points.some(([x, y]) => {
    const top = document.elementFromPoint(x, y);
    return top !== null && (element.contains(top) || top.contains(element) || [...(element.labels ?? [])].some((label) => label.contains(top)));
  });
  if (!shown) walk.hidden.push(window.__nameOf(element));
  return false;
})()`;

/**
 * Of a group of radio buttons, or of tabs, one is a stop: the arrow keys lead to the others. A picture may lead where the
 * title beside it leads, and be no stop.
 */
const END = `(() => {
  const { seen, withoutFocusRing, hidden } = window.__walk;
  const interactive = [...document.querySelectorAll(
    'a[href], button, input:not([type=hidden]), select, textarea, summary, video[controls], [contenteditable=true], [role=button], [role=slider], [role=switch], [role=tab]',
  )].filter((element) =>
    !element.disabled && element.closest('[inert], dialog:not([open])') === null &&
    element.checkVisibility({ visibilityProperty: true, contentVisibilityAuto: true }) && element.getClientRects().length > 0);
  const groupOf = (element) =>
    element.matches('input[type=radio]') ? element.name : element.closest('[role=tablist], [role=toolbar], [role=radiogroup], [role=menu]');
  const groups = new Set([...seen].map(groupOf).filter(Boolean));
  const leadsTo = new Set([...seen].map(({ href }) => href).filter(Boolean));
  const unreached = interactive.filter(
    (element) => !seen.has(element) && !groups.has(groupOf(element)) && !(element.tabIndex === -1 && leadsTo.has(element.href)),
  );
  return { visited: seen.size, unreached: unreached.map(window.__nameOf), withoutFocusRing, hidden };
})()`;
