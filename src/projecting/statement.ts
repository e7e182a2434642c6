/** A statement of SQL with the values of its parameters. */
export interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
}
