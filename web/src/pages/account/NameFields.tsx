import { Field } from '../../components/Field.tsx';

interface NameFieldsProps {
  /** As they are now. */
  readonly values?: { readonly name: string; readonly username: string };
  readonly usernameHint: string;
  readonly errors: Readonly<Record<string, string>>;
  readonly autoFocus?: boolean;
}

/** What others call a user. */
export function NameFields({ values, usernameHint, errors, autoFocus = false }: NameFieldsProps) {
  const limits = { minLength: 3, maxLength: 50, required: true };
  return (
    <>
      <Field
        key={`name ${values?.name}`}
        label="Name"
        name="name"
        autoComplete="name"
        defaultValue={values?.name}
        autoFocus={autoFocus}
        hint="Shown with your videos."
        error={errors['name']}
        {...limits}
      />
      <Field
        key={`username ${values?.username}`}
        label="Username"
        name="username"
        autoComplete="username"
        autoCapitalize="none"
        spellCheck={false}
        defaultValue={values?.username}
        hint={usernameHint}
        error={errors['username']}
        {...limits}
      />
    </>
  );
}
