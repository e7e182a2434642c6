import { CircleAlert, CloudOff, Inbox, type LucideIcon } from 'lucide-react';
import { useEffect, useEffectEvent, type ReactNode } from 'react';
import { ApiError } from '../api/apiError.ts';
import { isServerThere } from '../api/isServerThere.ts';
import { Button } from './Button.tsx';
import styles from './States.module.css';

interface EmptyProps {
  readonly title: string;
  /** What the reader can do about it. */
  readonly children?: ReactNode;
  readonly icon?: LucideIcon;
  readonly action?: ReactNode;
}

/** There is nothing to show, and that is no error. */
export function Empty({ title, children, icon: Icon = Inbox, action }: EmptyProps) {
  return (
    <section className={styles.state}>
      <Icon aria-hidden size={40} strokeWidth={1.5} />
      <h2>{title}</h2>
      {children !== undefined && <p>{children}</p>}
      {action}
    </section>
  );
}

interface FailureProps {
  readonly error: unknown;
  /** Tries again. */
  readonly onRetry?: (() => void) | undefined;
}

/**
 * Something could not be loaded. It says why, and offers another try where that makes sense. When the server was away, it tries
 * by itself as soon as the server is back.
 */
export function Failure({ error, onRetry }: FailureProps) {
  const known = error instanceof ApiError ? error : undefined;
  const isAway = known?.code === 'unreachable';
  const Icon = isAway ? CloudOff : CircleAlert;
  useWhenBack(isAway && onRetry !== undefined, () => onRetry?.());
  return (
    <section className={styles.state} role="alert">
      <Icon aria-hidden size={40} strokeWidth={1.5} />
      <h2>{known?.message ?? 'Something went wrong on this page.'}</h2>
      {isAway && onRetry !== undefined && <p>This goes on by itself when it is back.</p>}
      {known?.requestId !== undefined && known.status >= 500 && (
        <p>
          Request <code>{known.requestId}</code>
        </p>
      )}
      {onRetry !== undefined && (
        <Button onClick={onRetry} look="secondary">
          Try again
        </Button>
      )}
    </section>
  );
}

/** Milliseconds between two looks whether the server is back. */
const LOOK = 2_000;

function useWhenBack(isAway: boolean, act: () => void): void {
  const onBack = useEffectEvent(act);
  useEffect(() => {
    if (!isAway) return;
    let ended = false;
    const timer = setInterval(() => void isServerThere().then((isThere) => isThere && !ended && onBack()), LOOK);
    return () => {
      ended = true;
      clearInterval(timer);
    };
  }, [isAway]);
}

/** The place of something that is being loaded. `lines` says how tall it will be. */
export function Skeleton({ lines = 3, label = 'Loading' }: { readonly lines?: number; readonly label?: string }) {
  return (
    <div className={styles.skeleton} role="status">
      <span className="visually-hidden">{label}</span>
      {Array.from({ length: lines }, (_, line) => (
        <span key={line} aria-hidden />
      ))}
    </div>
  );
}
