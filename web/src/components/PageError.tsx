import { useRouter, type ErrorComponentProps } from '@tanstack/react-router';
import { Failure } from './States.tsx';

/** Shown in place of a page that could not be loaded or drawn. */
export function PageError({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  return (
    <Failure
      error={error}
      onRetry={() => {
        reset();
        void router.invalidate();
      }}
    />
  );
}
