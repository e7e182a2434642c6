const counts = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });
const ages = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
const STEPS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['week', 604_800],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
];

/** `1.2K` */
export function formatCount(count: number): string {
  return counts.format(count);
}

/** `3 likes` */
export function formatCounted(count: number, what: string): string {
  return `${formatCount(count)} ${what}${count === 1 ? '' : 's'}`;
}

/** `3 days ago` */
export function formatAge(time: string): string {
  const seconds = (Date.now() - Date.parse(time)) / 1_000;
  const step = STEPS.find(([, length]) => seconds >= length);
  return step === undefined ? 'just now' : ages.format(-Math.floor(seconds / step[1]), step[0]);
}

/** `1:05` */
export function formatTime(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}
