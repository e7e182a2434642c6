import { useEffect, useEffectEvent, useRef, useSyncExternalStore } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { formatCount, formatDay } from '../format.ts';
import type { ChartProps } from './Chart.tsx';
import styles from './Chart.module.css';
import { chartOptions, type Look } from './chartOptions.ts';

/** The drawing of a chart. Use `Chart`, which also has its title and its numbers as a table. */
export default function ChartCanvas(props: ChartProps & { readonly height: number }) {
  const { days, series, height } = props;
  const place = useRef<HTMLDivElement>(null);
  const tip = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const scheme = useSyncExternalStore(onSchemeChange, () => dark.matches);
  const shape = JSON.stringify(series.map(({ label, look, color }) => [label, look, color]));

  const data = useEffectEvent((): uPlot.AlignedData => [
    days.map((day) => Date.parse(day) / 1_000),
    ...series.map(({ values }) => [...values]),
  ]);
  const look = useEffectEvent((): Look => ({ ...props, format: props.format ?? formatCount }));
  const point = useEffectEvent((index: number | null | undefined, left: number) => {
    const box = tip.current;
    if (box === null) return;
    const day = index === null || index === undefined ? undefined : days[index];
    box.hidden = day === undefined;
    if (day === undefined) return;
    const { format } = look();
    const lines = series.map(({ label, values }) => {
      const value = values[index!];
      return `${label}: ${value === null || value === undefined ? 'none' : format(value)}`;
    });
    const name = document.createElement('span');
    name.textContent = `${formatDay(day)} UTC`;
    box.replaceChildren(
      name,
      ...lines.map((line) => Object.assign(document.createElement('strong'), { textContent: line })),
    );
    const width = place.current?.clientWidth ?? 0;
    const x = left + box.offsetWidth + 24 > width ? left - box.offsetWidth - 12 : left + 12;
    box.style.transform = `translate(${Math.max(0, x)}px, 4px)`;
  });
  const pick = useEffectEvent((index: number | null | undefined) => {
    const day = index === null || index === undefined ? undefined : days[index];
    const first = series[0];
    if (day !== undefined && first !== undefined) props.onPick?.(day, first);
  });

  useEffect(() => {
    const element = place.current!;
    const drawn = new uPlot(
      {
        ...chartOptions(element, look),
        width: Math.max(1, element.clientWidth),
        height,
        hooks: {
          draw: [(self) => drawUntil(self, look().until)],
          setCursor: [
            (self) =>
              point(
                self.cursor.left! < 0 ? null : self.cursor.idx,
                self.bbox.left / devicePixelRatio + self.cursor.left!,
              ),
          ],
          ready: [(self) => self.over.addEventListener('click', () => pick(self.cursor.idx))],
        },
      },
      data(),
      element,
    );
    plot.current = drawn;
    const resizing = new ResizeObserver(() => drawn.setSize({ width: Math.max(1, element.clientWidth), height }));
    resizing.observe(element);
    return () => {
      resizing.disconnect();
      drawn.destroy();
      plot.current = undefined;
    };
  }, [shape, scheme, height]);

  useEffect(() => {
    plot.current?.setData(data());
  }, [days, series, props.until]);

  return (
    <div ref={place} className={styles.plot} data-pickable={props.onPick !== undefined || undefined}>
      <div ref={tip} className={styles.tip} hidden />
    </div>
  );
}

/** A dashed line at the moment after which nothing is known. */
function drawUntil(self: uPlot, until: Date | undefined): void {
  if (until === undefined) return;
  const { ctx, bbox, scales } = self;
  // Bars stand in the middle of their day, which begins half a day before.
  const x = self.valToPos(until.getTime() / 1_000 - 43_200, 'x', true);
  if (scales['x']?.min === undefined || x < bbox.left || x > bbox.left + bbox.width) return;
  ctx.save();
  ctx.strokeStyle = getComputedStyle(self.root).color;
  ctx.lineWidth = devicePixelRatio * 1.5;
  ctx.setLineDash([4 * devicePixelRatio, 4 * devicePixelRatio]);
  ctx.beginPath();
  ctx.moveTo(x, bbox.top);
  ctx.lineTo(x, bbox.top + bbox.height);
  ctx.stroke();
  ctx.restore();
}

const dark = matchMedia('(prefers-color-scheme: dark)');

function onSchemeChange(listener: () => void): () => void {
  dark.addEventListener('change', listener);
  return () => dark.removeEventListener('change', listener);
}
