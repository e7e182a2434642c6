/**
 * Gives everything that is written to the terminal, from anywhere in the process, to `printAbove` in whole lines, until the returned function
 * is called. That function prints the rest.
 */
export function linesAbove(printAbove: (lines: string) => void): () => void {
  const restores = [process.stdout, process.stderr]
    .filter((stream) => stream.isTTY)
    .map((stream) => {
      let unfinished = '';
      const original = Object.getOwnPropertyDescriptor(stream, 'write');
      stream.write = (chunk: string | Uint8Array, ...rest: unknown[]): boolean => {
        const text = unfinished + (typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString());
        const end = text.lastIndexOf('\n') + 1;
        unfinished = text.slice(end);
        if (end > 0) printAbove(text.slice(0, end));
        const written = rest.find((each) => typeof each === 'function') as (() => void) | undefined;
        if (written !== undefined) process.nextTick(written);
        return true;
      };
      return () => {
        if (original === undefined) delete (stream as Partial<NodeJS.WriteStream>).write;
        else Object.defineProperty(stream, 'write', original);
        if (unfinished !== '') stream.write(unfinished);
      };
    });
  return () => restores.forEach((restore) => restore());
}
