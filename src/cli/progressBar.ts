const WIDTH = 30;

/** One line that is rewritten in place. Where the output is not a terminal: a new line for each tenth. */
export interface ProgressBar {
  /** `share` from 0 to 1. */
  show(share: number, text: string): void;
  end(): void;
}

export function createProgressBar(out: NodeJS.WriteStream): ProgressBar {
  let tenth = -1;
  return {
    show(share, text) {
      const clamped = Math.min(1, Math.max(0, share));
      const line = `[${'#'.repeat(Math.round(clamped * WIDTH)).padEnd(WIDTH, '.')}] ${String(Math.floor(clamped * 100)).padStart(3)} % ${text}`;
      if (out.isTTY) out.write(`\r${line}\x1b[K`);
      else if (Math.floor(clamped * 10) !== tenth) out.write(`${line}\n`);
      tenth = Math.floor(clamped * 10);
    },
    end() {
      if (out.isTTY) out.write('\n');
    },
  };
}
