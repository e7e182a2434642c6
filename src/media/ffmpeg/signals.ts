/** Signals that a program brings upon itself by what it does: here, by the file that it reads. */
const OWN_DOING = new Set([
  'SIGABRT',
  'SIGBUS',
  'SIGFPE',
  'SIGILL',
  'SIGSEGV',
  'SIGSYS',
  'SIGTRAP',
  'SIGXCPU',
  'SIGXFSZ',
]);

/** Something else ended the program (the kernel, short of memory; an operator): the same run may work another time. */
export function cameFromOutside(signal: string): boolean {
  return !OWN_DOING.has(signal);
}
