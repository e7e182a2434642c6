import type { LucideIcon } from 'lucide-react';
import type { ComponentProps } from 'react';
import styles from './RailButton.module.css';

interface RailButtonProps extends ComponentProps<'button'> {
  readonly icon: LucideIcon;
  /** Below the icon. */
  readonly text?: string;
  /** The icon is filled. */
  readonly filled?: boolean;
}

/** A round button beside a video. */
export function RailButton({ icon: Icon, text, filled = false, ...rest }: RailButtonProps) {
  return (
    <button type="button" className={styles.button} data-filled={filled || undefined} {...rest}>
      <span className={styles.circle}>
        <Icon aria-hidden size={24} fill={filled ? 'currentColor' : 'none'} />
      </span>
      {text !== undefined && (
        <span className={styles.text} aria-hidden>
          {text}
        </span>
      )}
    </button>
  );
}
