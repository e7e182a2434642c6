// Schemas that a consumer has beside the one of its name.

/** The tables that a rebuild fills. */
export const nextSchema = (name: string): string => `${name}__next`;

/** The tables that the last rebuild or rollback replaced. */
export const oldSchema = (name: string): string => `${name}__old`;

/** Tables that are about to be dropped. */
export const droppedSchema = (name: string): string => `${name}__dropped`;

/** The tables that a verification fills: this and a suffix of its own. */
export const scratchPrefix = (name: string): string => `${name}__verify_`;
