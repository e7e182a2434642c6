import styles from './VisibilityChoice.module.css';
import { visibilities, type Visibility } from './words.ts';

interface VisibilityChoiceProps {
  readonly value: Visibility;
  readonly onChange: (value: Visibility) => void;
}

/** Who may see a video. */
export function VisibilityChoice({ value, onChange }: VisibilityChoiceProps) {
  return (
    <fieldset className={styles.choice}>
      <legend>Visibility</legend>
      {(Object.keys(visibilities) as Visibility[]).map((visibility) => {
        const { label, hint, icon: Icon } = visibilities[visibility];
        return (
          <label key={visibility}>
            <input
              type="radio"
              name="visibility"
              value={visibility}
              checked={visibility === value}
              onChange={() => onChange(visibility)}
            />
            <Icon aria-hidden size={20} />
            <span>
              {label}
              <small>{hint}</small>
            </span>
          </label>
        );
      })}
    </fieldset>
  );
}
