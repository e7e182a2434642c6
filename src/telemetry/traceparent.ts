/**
 * A client's W3C `traceparent`, if it is valid; otherwise undefined. OpenTelemetry is loaded for the first one that a client
 * sends, so that a process that traces nothing starts without it.
 */
export async function validTraceparent(header: string | undefined): Promise<string | undefined> {
  if (header === undefined) return undefined;
  const { parseTraceParent } = await import('@opentelemetry/core');
  return parseTraceParent(header) === null ? undefined : header;
}

/** The trace id in a valid `traceparent`: 32 hexadecimal digits. */
export function traceIdOf(traceparent: string): string {
  return traceparent.slice(3, 35);
}
