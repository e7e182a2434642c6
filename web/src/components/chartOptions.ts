import uPlot from 'uplot';
import { dayOf, formatShortDay } from '../format.ts';
import type { ChartProps } from './Chart.tsx';

export type Look = ChartProps & Required<Pick<ChartProps, 'format'>>;

const DAY = 86_400;
const MONTH = 30 * DAY;
const YEAR = 365 * DAY;
/** 1, 2, 5, 10, 20, 50 …: counts have no halves. */
const WHOLE = steps(0);
const FRACTIONS = steps(-6);
const STEPS = [1, 2, 3, 5, 7, 10, 15].map((days) => days * DAY);

/** How uPlot draws it. Colours are those of the page at this moment; the numbers of `look` are read at each drawing. */
export function chartOptions(element: HTMLElement, look: () => Look): Omit<uPlot.Options, 'width' | 'height'> {
  const color = (name: string): string => colorOf(element, name);
  const { series } = look();
  const axis: uPlot.Axis = {
    stroke: color('--ink-soft'),
    font: `12px ${getComputedStyle(element).fontFamily}`,
    ticks: { show: false },
    grid: { stroke: color('--line'), width: 1 },
  };
  return {
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1_000), 'Etc/UTC'),
    legend: { show: false },
    padding: [8, 12, 0, 0],
    cursor: { y: false, drag: { setScale: false, x: false, y: false }, points: { show: series.some(isLine) } },
    scales: {
      // Half a day at both ends, so that the first and the last bar are whole.
      x: { time: true, range: (_, min, max) => [min - DAY / 2, max + DAY / 2] },
      y: { range: (_, min, max) => [Math.min(0, min ?? 0), max === null || max <= 0 ? 1 : max * 1.08] },
    },
    axes: [
      {
        ...axis,
        grid: { show: false },
        size: 26,
        gap: 6,
        space: 64,
        incrs: [...STEPS, ...[1, 2, 3, 6].map((months) => months * MONTH), YEAR, 2 * YEAR, 5 * YEAR],
        values: (_, splits) => splits.map((seconds) => formatShortDay(dayOf(seconds * 1_000))),
      },
      {
        ...axis,
        size: (_, values) => 18 + 7 * Math.max(2, ...(values ?? []).map((value) => value?.length ?? 0)),
        space: 40,
        incrs: () => (look().series.every(({ values }) => values.every(isWhole)) ? WHOLE : FRACTIONS),
        values: (_, splits) => splits.map((value) => look().format(value)),
      },
    ],
    series: [
      {},
      ...series.map((one): uPlot.Series => {
        const stroke = color(`--series-${one.color}`);
        if (isLine(one)) return { label: one.label, stroke, width: 2, points: { show: true, size: 6, fill: stroke } };
        return {
          label: one.label,
          stroke,
          fill: stroke,
          width: 0,
          // Narrow bars keep gaps between them.
          pxAlign: 0,
          points: { show: false },
          paths: uPlot.paths.bars!({ size: [0.72, 36], radius: 0.15 }),
        };
      }),
    ],
  };
}

function steps(smallest: number): number[] {
  return Array.from({ length: 12 }, (_, n) => [1, 2, 5].map((step) => step * 10 ** (smallest + n))).flat();
}

function isLine({ look }: { readonly look: 'bars' | 'line' }): boolean {
  return look === 'line';
}

function isWhole(value: number | null): boolean {
  return value === null || Number.isInteger(value);
}

/** A token as a colour that a canvas knows: the browser resolves `light-dark()`. */
function colorOf(element: HTMLElement, token: string): string {
  element.style.color = `var(${token})`;
  const { color } = getComputedStyle(element);
  element.style.color = '';
  return color;
}
