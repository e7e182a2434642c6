import type { Comparison } from './benchmark.ts';
import { number } from './columns.ts';

const [WIDTH, LABELS, ROW, TOP] = [760, 320, 34, 66];
/** Where the ratios end, to the left of the bars. */
const VALUES = 306;
/** The ratios at the edges of the picture. The axis is logarithmic, so that twice as fast and half as fast are equally far from 1. */
const [LEAST, MOST] = [1 / 4, 32];
const TICKS = [0.5, 1, 2, 4, 8, 16];

/** A picture of all results that name themselves for it: how many times as fast as its peer each is. For light and dark pages. */
export function chart(results: readonly Comparison[]): string {
  const rows = results.filter(({ chart }) => chart !== undefined);
  const height = TOP + rows.length * ROW + 12;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="How many times as fast as the peer">
<style>
  text { font: 13px system-ui, sans-serif; fill: #1f2328; }
  .title { font-size: 15px; font-weight: 600; }
  .value { font-weight: 600; }
  .small { font-size: 11px; fill: #59636e; }
  .grid { stroke: #d1d9e0; }
  .one { stroke: #59636e; }
  .faster { fill: #1a7f5a; }
  .slower { fill: #b8651b; }
  .required { stroke: #1f2328; stroke-width: 2; }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc; }
    .small { fill: #9198a1; }
    .grid { stroke: #3d444d; }
    .one { stroke: #9198a1; }
    .faster { fill: #3fb68b; }
    .slower { fill: #e09b4f; }
    .required { stroke: #f0f6fc; }
  }
</style>
<text class="title" x="8" y="20">How many times as fast as the peer, in the same run</text>
<text class="small" x="8" y="38">A vertical stroke marks what is required. Logarithmic.</text>
${TICKS.map((tick) => tickAt(tick, height)).join('\n')}
${rows.map((result, index) => bar(result, TOP + index * ROW)).join('\n')}
</svg>
`;
}

function tickAt(tick: number, height: number): string {
  const x = place(tick);
  return `<line class="${tick === 1 ? 'one' : 'grid'}" x1="${x}" x2="${x}" y1="${TOP - 6}" y2="${height - 8}"/><text class="small" x="${x}" y="${TOP - 10}" text-anchor="middle">${tick}×</text>`;
}

function bar({ chart, peer, ours, theirs, atLeast, atMost }: Comparison, y: number): string {
  // Where less is better, the peer's figure over ours says how many times as good it is.
  const lessIsBetter = atLeast === undefined && atMost !== undefined;
  const ratio = lessIsBetter ? theirs / ours : ours / theirs;
  const required = lessIsBetter ? 1 / atMost : atLeast;
  const [from, to] = [place(1), place(ratio)];
  const stroke =
    required === undefined
      ? ''
      : `<line class="required" x1="${place(required)}" x2="${place(required)}" y1="${y + 1}" y2="${y + 21}"/>`;
  return `<text x="8" y="${y + 10}">${escaped(chart!)}</text><text class="small" x="8" y="${y + 23}">${escaped(peer)}</text><rect class="${ratio >= 1 ? 'faster' : 'slower'}" x="${Math.min(from, to)}" y="${y + 4}" width="${Math.abs(to - from)}" height="14" rx="2"/>${stroke}<text class="value" x="${VALUES}" y="${y + 16}" text-anchor="end">${number(ratio)}×</text>`;
}

function place(ratio: number): number {
  const bounded = Math.min(MOST, Math.max(LEAST, ratio));
  const share = Math.log(bounded / LEAST) / Math.log(MOST / LEAST);
  return Math.round(LABELS + share * (WIDTH - LABELS));
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
