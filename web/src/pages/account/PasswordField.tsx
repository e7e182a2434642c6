import { Eye, EyeOff } from 'lucide-react';
import { useState, type ComponentProps } from 'react';
import { Field } from '../../components/Field.tsx';
import styles from './AccountForm.module.css';

/** A password that can be shown while it is typed. */
export function PasswordField(props: Omit<ComponentProps<typeof Field>, 'label' | 'name' | 'type'>) {
  const [isShown, setShown] = useState(false);
  const Icon = isShown ? EyeOff : Eye;
  return (
    <div className={styles.password}>
      <Field label="Password" name="password" type={isShown ? 'text' : 'password'} required {...props} />
      <button
        type="button"
        className={styles.reveal}
        aria-label="Show the password"
        aria-pressed={isShown}
        onClick={() => setShown(!isShown)}
      >
        <Icon aria-hidden size={20} />
      </button>
    </div>
  );
}
