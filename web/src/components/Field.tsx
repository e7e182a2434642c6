import { useId, type ComponentProps, type ReactNode } from 'react';
import styles from './Field.module.css';

interface Labelled {
  readonly label: string;
  /** Says what may be entered. */
  readonly hint?: ReactNode;
  /** What is wrong with the value. */
  readonly error?: string | undefined;
}

/** A text field with its label, a hint and an error, which belong together for screen readers too. */
export function Field({ label, hint, error, ...input }: Labelled & ComponentProps<'input'>) {
  return (
    <Frame label={label} hint={hint} error={error}>
      {(ids) => <input className={styles.input} {...ids} {...input} />}
    </Frame>
  );
}

export function TextArea({ label, hint, error, ...input }: Labelled & ComponentProps<'textarea'>) {
  return (
    <Frame label={label} hint={hint} error={error}>
      {(ids) => <textarea className={styles.input} rows={4} {...ids} {...input} />}
    </Frame>
  );
}

export function Select({ label, hint, error, children, ...input }: Labelled & ComponentProps<'select'>) {
  return (
    <Frame label={label} hint={hint} error={error}>
      {(ids) => (
        <select className={styles.input} {...ids} {...input}>
          {children}
        </select>
      )}
    </Frame>
  );
}

interface Ids {
  readonly id: string;
  readonly 'aria-describedby': string;
  readonly 'aria-invalid': boolean;
}

function Frame({ label, hint, error, children }: Labelled & { readonly children: (ids: Ids) => ReactNode }) {
  const id = useId();
  return (
    <div className={styles.field}>
      <label htmlFor={id}>{label}</label>
      {children({ id, 'aria-describedby': `${id}-text`, 'aria-invalid': error !== undefined })}
      <p id={`${id}-text`} className={styles.text} data-error={error !== undefined || undefined}>
        {error ?? hint}
      </p>
    </div>
  );
}
