import { Keyboard } from 'lucide-react';
import { setLetterKeys, useLetterKeys } from '../../player/useShortcuts.ts';
import { RailButton } from '../../player/RailButton.tsx';
import styles from './Shortcuts.module.css';

const KEYS: readonly (readonly [keys: string, what: string])[] = [
  ['↑ ↓', 'Previous, next video'],
  ['Space', 'Play or pause'],
  ['← →', 'Five seconds back or on'],
  ['L', 'Like'],
  ['M', 'Sound on or off'],
];

/** Says which keys there are, and switches single letters off. */
export function Shortcuts() {
  const hasLetters = useLetterKeys();
  return (
    <>
      <RailButton icon={Keyboard} aria-label="Keyboard shortcuts" popoverTarget="shortcuts" />
      <div id="shortcuts" popover="auto" className={styles.panel} role="dialog" aria-label="Keyboard shortcuts">
        <h2>Keyboard</h2>
        <dl>
          {KEYS.map(([keys, what]) => (
            <div key={what}>
              <dt>
                {keys.split(' ').map((key) => (
                  <kbd key={key}>{key}</kbd>
                ))}
              </dt>
              <dd>{what}</dd>
            </div>
          ))}
        </dl>
        <label>
          <input type="checkbox" checked={hasLetters} onChange={({ target }) => setLetterKeys(target.checked)} />
          Letters act without Ctrl
        </label>
      </div>
    </>
  );
}
