/** Beside the schema of its name, a consumer has these. */

/** The tables that a rebuild fills. */
export const nextSchema = (name: string): string => `${name}__next`;

/** The tables that the last rebuild replaced. */
export const oldSchema = (name: string): string => `${name}__old`;
