/** The serialised answer of a query, in the envelope of every success. */
export function envelope(message: string, data: unknown, meta?: object): Buffer {
  return Buffer.from(JSON.stringify({ success: true, statusCode: 200, message, ...(meta && { meta }), data }));
}
