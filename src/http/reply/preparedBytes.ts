/**
 * Bytes in the form in which Node sends them fastest: as text with one character for each byte, which it writes together
 * with the head. A buffer needs a second write. For answers that are sent many times.
 */
export class PreparedBytes {
  readonly latin1: string;
  /** The value of `Content-Length`. */
  readonly contentLength: string;

  constructor(bytes: Buffer) {
    this.latin1 = bytes.toString('latin1');
    this.contentLength = String(bytes.length);
  }

  toBuffer(): Buffer {
    return Buffer.from(this.latin1, 'latin1');
  }
}
