/** As `--help` and the README list them. */
export const exitCodes = [
  { code: '0', meaning: 'done' },
  { code: '1', meaning: 'it did not succeed: refused, not possible, or verify found a difference' },
  { code: '2', meaning: 'the command line is wrong' },
  { code: '130, 143', meaning: 'it was stopped, by Ctrl-C or by SIGTERM; serve and the other roles then end with 0' },
] as const;

/** 128 and the number of the signal, as a shell has it. */
const OF_SIGNALS: Readonly<Record<string, number>> = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 };

/** For another reason to stop, such as the end of npm: as for SIGTERM. */
export function exitCodeAfter(signal: string): number {
  return OF_SIGNALS[signal] ?? 143;
}
