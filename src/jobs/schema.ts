/** The schema of pg-boss. */
export const JOBS_SCHEMA = 'reelstream_jobs';
