import { Eye, EyeOff } from 'lucide-react';
import { useState, type ComponentProps } from 'react';
import { Field } from '../../components/Field.tsx';
import styles from './AccountForm.module.css';

/** A password that can be shown while it is typed. */
export function PasswordField({
  label = 'Password',
  name = 'password',
  ...props
}: Omit<ComponentProps<typeof Field>, 'label' | 'type'> & { readonly label?: string }) {
  const [isShown, setShown] = useState(false);
  const Icon = isShown ? EyeOff : Eye;
  return (
    <div className={styles.password}>
      <Field label={label} name={name} type={isShown ? 'text' : 'password'} required {...props} />
      <button
        type="button"
        className={styles.reveal}
        aria-label={`Show the ${label.toLowerCase()}`}
        aria-pressed={isShown}
        onClick={() => setShown(!isShown)}
      >
        <Icon aria-hidden size={20} />
      </button>
    </div>
  );
}
