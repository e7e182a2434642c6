import { useRouter, type ErrorComponentProps } from '@tanstack/react-router';
import { ApiError } from '../api/apiError.ts';
import { Failure } from './States.tsx';

/** Shown in place of a page that could not be loaded or drawn. */
export function PageError({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  return (
    <Failure
      error={error}
      onRetry={() => {
        // Browsers do not ask again for a script that they could not load.
        if (error instanceof ApiError && error.code === 'unreachable') return location.reload();
        reset();
        void router.invalidate();
      }}
    />
  );
}
