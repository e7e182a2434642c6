import { Link, useSearch } from '@tanstack/react-router';
import { Field } from '../../components/Field.tsx';
import { signUp } from '../../session/commands.ts';
import { AccountForm } from './AccountForm.tsx';
import { NameFields } from './NameFields.tsx';
import { PasswordField } from './PasswordField.tsx';

export function SignUpPage() {
  const search = useSearch({ from: '/sign-up' });
  return (
    <AccountForm
      title="Create an account"
      lead="To like videos and to show your own."
      submit="Create account"
      next={search.next}
      act={(values) =>
        signUp({
          name: values.get('name'),
          username: values.get('username'),
          email: values.get('email'),
          password: values.get('password'),
        })
      }
      after={
        <>
          Already have one?{' '}
          <Link to="/sign-in" search={search}>
            Sign in
          </Link>
        </>
      }
    >
      {(errors) => (
        <>
          <NameFields usernameHint="Your page will be at this name." errors={errors} autoFocus />
          <Field
            label="E-mail"
            name="email"
            type="email"
            autoComplete="email"
            required
            hint="You sign in with it. Nobody else sees it."
            error={errors['email']}
          />
          <PasswordField
            autoComplete="new-password"
            minLength={6}
            hint="At least 6 characters, with a letter, a digit and one other character."
            error={errors['password']}
          />
        </>
      )}
    </AccountForm>
  );
}
