import { Skeleton } from './States.tsx';

/** Shown while the code of a page is on its way. */
export function PageLoading() {
  return (
    <div style={{ padding: '2rem' }}>
      <Skeleton lines={4} label="Loading the page" />
    </div>
  );
}
