/** Signals that a program causes itself, here because of the file that it reads. */
const CAUSED_BY_PROGRAM = new Set([
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

/** Whether something outside (the kernel, short of memory; an operator) ended the program. A retry may then succeed. */
export function cameFromOutside(signal: string): boolean {
  return !CAUSED_BY_PROGRAM.has(signal);
}
