import packageFile from '../../package.json' with { type: 'json' };

/** Of ReelStream, and of the documents of its API. */
export const { version } = packageFile;
