import { Link, useSearch } from '@tanstack/react-router';
import { Field } from '../../components/Field.tsx';
import { signIn } from '../../session/commands.ts';
import { AccountForm } from './AccountForm.tsx';
import { PasswordField } from './PasswordField.tsx';

export function SignInPage() {
  const search = useSearch({ from: '/sign-in' });
  return (
    <AccountForm
      title="Sign in"
      lead="Good to see you again."
      submit="Sign in"
      next={search.next}
      act={(values) => signIn({ email: values.get('email'), password: values.get('password') })}
      after={
        <>
          New here?{' '}
          <Link to="/sign-up" search={search}>
            Create an account
          </Link>
        </>
      }
    >
      {(errors) => (
        <>
          <Field
            label="E-mail"
            name="email"
            type="email"
            autoComplete="username"
            required
            autoFocus
            error={errors['email']}
          />
          <PasswordField autoComplete="current-password" error={errors['password']} />
        </>
      )}
    </AccountForm>
  );
}
