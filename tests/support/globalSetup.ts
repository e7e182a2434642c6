/** Names the PostgreSQL server of this run for the workers: DATABASE_URL, or one started here. */
export default function globalSetup(): void {
  process.env['REELSTREAM_TEST_POSTGRES'] = process.env['DATABASE_URL'] ?? 'postgres://reelstream@127.0.0.1:15432/reelstream';
}
