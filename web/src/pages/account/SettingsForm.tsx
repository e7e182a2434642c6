import { useMutation } from '@tanstack/react-query';
import { useEffect, useRef, type ReactNode } from 'react';
import { ApiError } from '../../api/apiError.ts';
import { Button } from '../../components/Button.tsx';
import { Notice } from '../../components/Notice.tsx';
import { showToast } from '../../components/toastStore.ts';
import type { Values } from './AccountForm.tsx';
import { messageOf } from './messageOf.ts';
import styles from './SettingsForm.module.css';

interface SettingsFormProps {
  readonly title: string;
  /** The verb on the button. */
  readonly submit: string;
  /** What is said when it is done. */
  readonly done: string;
  readonly act: (values: Values) => Promise<void>;
  /** Passwords are not kept in the form. */
  readonly emptiedWhenDone?: boolean;
  readonly children: (errors: Readonly<Record<string, string>>) => ReactNode;
}

/** One thing that a user may change. What the server says about a field is shown at that field, and the first one gets the focus. */
export function SettingsForm({ title, submit, done, act, emptiedWhenDone = false, children }: SettingsFormProps) {
  const form = useRef<HTMLFormElement>(null);
  const { error, isPending, mutate } = useMutation({
    mutationFn: act,
    onSuccess: () => {
      if (emptiedWhenDone) form.current?.reset();
      showToast(done, { tone: 'good' });
    },
  });
  const errors = error instanceof ApiError ? error.fields : {};

  useEffect(() => {
    if (error !== null) form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  }, [error]);

  return (
    <form
      ref={form}
      className={styles.form}
      aria-label={title}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        const values = new FormData(event.currentTarget);
        if (!isPending) mutate({ get: (name) => String(values.get(name) ?? '') });
      }}
    >
      <h2>{title}</h2>
      {children(errors)}
      {error !== null && Object.keys(errors).length === 0 && <Notice tone="bad">{messageOf(error)}</Notice>}
      <div>
        <Button type="submit" busy={isPending}>
          {submit}
        </Button>
      </div>
    </form>
  );
}
