import packageFile from '../../package.json' with { type: 'json' };

/** The version of ReelStream and of its API documents. */
export const { version } = packageFile;
