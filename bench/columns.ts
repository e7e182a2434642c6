import type { Comparison, CpuTime } from './benchmark.ts';

/** The columns of a table of results, on the screen and in bench/README.md. */
export const columns: readonly { head: string; right?: boolean; of: (result: Comparison) => string }[] = [
  { head: 'what', of: ({ what }) => what },
  { head: 'ours', right: true, of: ({ ours }) => number(ours) },
  { head: 'peer', right: true, of: ({ theirs }) => number(theirs) },
  { head: 'unit', of: ({ unit }) => unit },
  { head: 'our CPU µs', right: true, of: ({ cpu }) => cpuText(cpu?.ours) },
  { head: 'peer CPU µs', right: true, of: ({ cpu }) => cpuText(cpu?.theirs) },
  { head: 'the peer', of: ({ peer }) => peer },
  { head: 'ratio', right: true, of: ({ ours, theirs }) => number(ours / theirs) },
  { head: 'required', of: requirement },
  { head: '', of: (result) => (missed(result) ? 'MISSED' : '') },
];

export function missed({ ours, theirs, atLeast, atMost }: Comparison): boolean {
  const ratio = ours / theirs;
  return (atLeast !== undefined && !(ratio >= atLeast)) || (atMost !== undefined && !(ratio <= atMost));
}

function requirement({ atLeast, atMost }: Comparison): string {
  const [least, most] = [atLeast, atMost].map((bound) => (bound === undefined ? undefined : number(bound)));
  return [least && `≥ ${least}`, most && `≤ ${most}`].filter(Boolean).join(' ');
}

/** Of the process, and after a plus sign of PostgreSQL. */
function cpuText(time: CpuTime | undefined): string {
  if (time === undefined) return '';
  return [time.process, ...(time.postgres === undefined ? [] : [time.postgres])].map(number).join(' + ');
}

export function number(value: number): string {
  return value.toLocaleString('en', { maximumSignificantDigits: 3 }).replaceAll(',', ' ');
}
