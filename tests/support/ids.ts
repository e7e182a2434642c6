/** A UUID that is the same each time: the n-th of its kind. */
export function asUuid(kind: 'user' | 'video' | 'session', n: number): string {
  const prefix = { user: '0194aaaa', video: '0194bbbb', session: '0194cccc' }[kind];
  return `${prefix}-0000-7000-8000-${n.toString(16).padStart(12, '0')}`;
}
