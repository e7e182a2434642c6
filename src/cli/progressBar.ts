import { MultiBar, type SingleBar } from 'cli-progress';
import { linesAbove } from './linesAbove.ts';

/** Where standard error is no terminal, a line is printed for each tenth, and after this time (ms). */
const LINE_EVERY_MS = 5_000;

/** Progress on standard error. Declare it with `using`, so that it also ends before an error is printed. */
export interface ProgressBar extends Disposable {
  /** `share` from 0 to 1. */
  show(share: number, text: string): void;
}

export function createProgressBar(): ProgressBar {
  return process.stderr.isTTY ? barOnTerminal(process.stderr) : plainLines(process.stderr);
}

/** One line that is rewritten in place. What is printed meanwhile, from anywhere in the process, appears above it. */
function barOnTerminal(terminal: NodeJS.WriteStream): ProgressBar {
  const bars = new MultiBar({
    format: '[{bar}] {percentage} % {text}',
    barCompleteChar: '#',
    barIncompleteChar: '.',
    barsize: 30,
    forceRedraw: true,
    // The cursor and the wrapping of lines stay as they are, so that the terminal is in order also after a kill.
    linewrap: true,
    gracefulExit: false,
    stream: Object.create(terminal, { write: { value: terminal.write.bind(terminal) } }) as NodeJS.WriteStream,
  });
  let shown: { readonly bar: SingleBar; readonly restore: () => void } | undefined;
  return {
    show(share, text) {
      shown ??= {
        bar: bars.create(1, 0),
        restore: linesAbove((lines) => {
          bars.log(lines);
          bars.update();
        }),
      };
      shown.bar.update(clamped(share), { text });
    },
    [Symbol.dispose]() {
      if (shown === undefined) return;
      bars.stop();
      shown.restore();
    },
  };
}

function plainLines(out: NodeJS.WriteStream): ProgressBar {
  let tenth = -1;
  let lastAt = -Infinity;
  return {
    show(share, text) {
      const percent = Math.floor(clamped(share) * 100);
      const now = performance.now();
      if (Math.floor(percent / 10) === tenth && now - lastAt < LINE_EVERY_MS) return;
      tenth = Math.floor(percent / 10);
      lastAt = now;
      out.write(`${percent} % ${text}\n`);
    },
    [Symbol.dispose]: () => undefined,
  };
}

const clamped = (share: number): number => Math.min(1, Math.max(0, share));
