/**
 * A start that cannot succeed. Its message is for the operator: one or two sentences that say what is wrong and what to
 * do.
 */
export class StartError extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'StartError';
  }
}
