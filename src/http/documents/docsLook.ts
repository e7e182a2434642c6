import { readFileSync } from 'node:fs';

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8');
const web = '../../../web';

/** Of all pages under `/docs`. The colours and sizes are those of the studio. */
export const docsStyles = `${read(`${web}/src/styles/tokens.css`)}\n${read('docs.css')}`;
/** The mark of the studio, an SVG. */
export const docsMark = read(`${web}/public/favicon.svg`);

/** What every page has in its head, besides its title. */
export const docsHead = `<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" type="image/svg+xml" href="/docs/mark.svg">
<link rel="stylesheet" href="/docs/docs.css">`;

const PAGES = [
  ['/docs', 'HTTP API'],
  ['/docs/realtime', 'Real time'],
] as const;

/** The bar at the top of every page: back to the studio, and to the other pages. */
export function docsHeader(current: (typeof PAGES)[number][0]): string {
  const links = PAGES.map(
    ([path, text]) => `<a href="${path}"${path === current ? ' aria-current="page"' : ''}>${text}</a>`,
  );
  return `<header class="site">
<a class="brand" href="/"><img src="/docs/mark.svg" alt="" width="28" height="28">ReelStream</a>
<nav aria-label="Documentation">${links.join('')}</nav>
<a class="studio" href="/studio">Open the studio</a>
</header>`;
}
