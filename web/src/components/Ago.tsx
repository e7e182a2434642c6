import { formatAgo, formatMoment } from '../format.ts';

/** When something happened, such as "3 days ago"; the exact time, in the time zone of the reader, is its title. */
export function Ago({ time }: { readonly time: string }) {
  return (
    <time dateTime={time} title={formatMoment(time)}>
      {formatAgo(time)}
    </time>
  );
}
