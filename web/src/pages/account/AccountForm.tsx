import { useMutation } from '@tanstack/react-query';
import { useRouter } from '@tanstack/react-router';
import { useEffect, useRef, type ReactNode } from 'react';
import { ApiError } from '../../api/apiError.ts';
import { Button } from '../../components/Button.tsx';
import { Page } from '../../components/Page.tsx';
import { useSession } from '../../session/useSession.ts';
import styles from './AccountForm.module.css';
import { messageOf } from './messageOf.ts';

export interface Values {
  get(name: string): string;
}

interface AccountFormProps {
  readonly title: string;
  readonly lead: string;
  /** The verb on the button. */
  readonly submit: string;
  /** The address to go to afterwards. */
  readonly next: string | undefined;
  readonly act: (values: Values) => Promise<void>;
  readonly children: (errors: Readonly<Record<string, string>>) => ReactNode;
  /** Leads to the other form. */
  readonly after: ReactNode;
}

/** A form that signs somebody in. What the server says about a field is shown at that field, and the first one gets the focus. */
export function AccountForm({ title, lead, submit, next = '/', act, children, after }: AccountFormProps) {
  const router = useRouter();
  const form = useRef<HTMLFormElement>(null);
  const { status } = useSession();
  const mutation = useMutation({ mutationFn: act });
  const error = mutation.error;
  const errors = error instanceof ApiError ? error.fields : {};
  const isAboutFields = Object.keys(errors).length > 0;

  // Also when somebody signs in in another tab.
  useEffect(() => {
    if (status === 'signedIn') router.history.replace(next);
  }, [status, next, router]);

  useEffect(() => {
    if (error !== null) form.current?.querySelector<HTMLElement>('[aria-invalid="true"], [data-message]')?.focus();
  }, [error]);

  return (
    <Page title={title} lead={lead} width="narrow">
      {status === 'ended' && (
        <p role="status" className={styles.ended}>
          Your session has ended. Sign in to go on where you were.
        </p>
      )}
      <form
        ref={form}
        className={styles.form}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          const values = new FormData(event.currentTarget);
          if (!mutation.isPending) mutation.mutate({ get: (name) => String(values.get(name) ?? '') });
        }}
      >
        {error !== null && !isAboutFields && (
          <p role="alert" className={styles.refused} tabIndex={-1} data-message>
            {messageOf(error)}
          </p>
        )}
        {children(errors)}
        <Button type="submit" look="primary" busy={mutation.isPending || status === 'restoring'}>
          {submit}
        </Button>
        <p className={styles.after}>{after}</p>
      </form>
    </Page>
  );
}
