import { MultiBar } from 'cli-progress';
import { linesAbove } from './linesAbove.ts';

/** Where standard error is no terminal, a line is printed for each tenth, and after this time (ms). */
const LINE_EVERY_MS = 5_000;

/** Progress on standard error. Declare it with `using`, so that it also ends before an error is printed. */
export interface ProgressBar extends Disposable {
  /** `share` from 0 to 1. */
  show(share: number, text: string): void;
}

export function createProgressBar(): ProgressBar {
  return process.stderr.isTTY ? barOnTerminal() : plainLines();
}

/** One line that is rewritten in place. What is printed meanwhile appears above it. */
function barOnTerminal(): ProgressBar {
  // The cursor stays visible and lines may wrap, so that the terminal is in order also after a kill.
  const [write] = [process.stderr.write.bind(process.stderr)];
  const bars = new MultiBar({
    format: '[{bar}] {percentage} % {text}',
    barCompleteChar: '#',
    barIncompleteChar: '.',
    barsize: 30,
    linewrap: true,
    forceRedraw: true,
    gracefulExit: false,
    stream: Object.create(process.stderr, { write: { value: write } }) as NodeJS.WriteStream,
  });
  const bar = bars.create(1, 0, { text: '' });
  const restore = linesAbove((lines) => {
    bars.log(lines);
    bars.update();
  });
  return {
    show: (share, text) => bar.update(clamped(share), { text }),
    [Symbol.dispose]() {
      bars.stop();
      restore();
    },
  };
}

function plainLines(): ProgressBar {
  let tenth = -1;
  let lastAt = -Infinity;
  return {
    show(share, text) {
      const percent = Math.floor(clamped(share) * 100);
      const now = performance.now();
      if (Math.floor(percent / 10) === tenth && now - lastAt < LINE_EVERY_MS) return;
      tenth = Math.floor(percent / 10);
      lastAt = now;
      process.stderr.write(`${percent} % ${text}\n`);
    },
    [Symbol.dispose]: () => undefined,
  };
}

const clamped = (share: number): number => Math.min(1, Math.max(0, share));
