import type { ShownEvent } from '../core/shownEvent.ts';
import { toLogEvent } from '../realtime/logEvent.ts';
import { withoutControls } from './output.ts';

/** Characters of an event's data that are shown to people. Scripts get all of it. */
const MOST_SHOWN = 300;

/** One JSON object a line (NDJSON), each in the form that `GET /api/v1/admin/events` answers. */
export function jsonLines(events: readonly ShownEvent[]): string {
  let lines = '';
  for (const event of events) lines += `${JSON.stringify(toLogEvent(event))}\n`;
  return lines;
}

/** For people: position, time, type, stream with revision, data. */
export function readableLines(events: readonly ShownEvent[]): string {
  return events
    .map(({ position, time, type, stream, revision, data }) => {
      const text = JSON.stringify(data);
      const shown = text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}…` : text;
      const parts = [
        String(position).padStart(8),
        time.toISOString(),
        type.padEnd(22),
        `${stream} #${revision}`,
        shown,
      ];
      return `${withoutControls(parts.join('  '))}\n`;
    })
    .join('');
}
