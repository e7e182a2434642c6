import { useQueryClient } from '@tanstack/react-query';
import { Field } from '../../components/Field.tsx';
import type { Claims } from '../../session/claims.ts';
import { changePassword, changeProfile } from '../../session/commands.ts';
import { NameFields } from './NameFields.tsx';
import { PasswordField } from './PasswordField.tsx';
import { SettingsForm } from './SettingsForm.tsx';

/** What users may change about themselves. */
export function Settings({ user }: { readonly user: Claims }) {
  const client = useQueryClient();
  return (
    <>
      <SettingsForm
        title="Profile"
        submit="Save profile"
        done="Your profile is saved."
        act={async (values) => {
          await changeProfile({ name: values.get('name'), username: values.get('username') });
          // Videos show the name.
          void client.invalidateQueries();
        }}
      >
        {(errors) => (
          <NameFields
            values={user}
            usernameHint="Your page moves to it. Links to the old name no longer lead to you."
            errors={errors}
          />
        )}
      </SettingsForm>
      <SettingsForm
        title="E-mail address"
        submit="Change e-mail"
        done="You now sign in with the new address."
        emptiedWhenDone
        act={(values) => changeProfile({ email: values.get('email'), password: values.get('password') })}
      >
        {(errors) => (
          <>
            <Field
              label="New e-mail"
              name="email"
              type="email"
              autoComplete="email"
              required
              hint="You sign in with it. Nobody else sees it."
              error={errors['email']}
            />
            <PasswordField autoComplete="current-password" error={errors['password']} />
          </>
        )}
      </SettingsForm>
      <SettingsForm
        title="Password"
        submit="Change password"
        done="Your password is changed. You are signed out everywhere else."
        emptiedWhenDone
        act={(values) => changePassword(values.get('currentPassword'), values.get('newPassword'))}
      >
        {(errors) => (
          <>
            <input type="hidden" name="username" autoComplete="username" value={user.email} readOnly />
            <PasswordField
              label="Current password"
              name="currentPassword"
              autoComplete="current-password"
              error={inWords(errors['currentPassword'])}
            />
            <PasswordField
              label="New password"
              name="newPassword"
              autoComplete="new-password"
              minLength={6}
              hint="At least 6 characters, with a letter, a digit and one other character."
              error={inWords(errors['newPassword'])}
            />
          </>
        )}
      </SettingsForm>
    </>
  );
}

/** The server begins with the name of the field in the request, such as `newPassword`. */
function inWords(error: string | undefined): string | undefined {
  return error?.replace(/^\w+(?= must)/, 'The password');
}
