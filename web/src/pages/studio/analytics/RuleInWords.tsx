import styles from './RuleInWords.module.css';

/** Of the rules that the server has. */
const rules: Readonly<Record<string, string>> = {
  counted: 'Every recorded view counts: at most one of each viewer a minute for each video.',
  'daily-unique': 'One view of each viewer a day (UTC) counts for each video.',
  'not-the-owner': 'Your own views of your videos do not count.',
};

/** What counts as a view. Rules can be joined with a plus. */
export function RuleInWords({ rule }: { readonly rule: string }) {
  return (
    <aside className={styles.rule}>
      <h2>What is counted</h2>
      {rule.split('+').map((name) => (
        <p key={name}>{rules[name] ?? `Views are counted under the rule “${name}” of this server.`}</p>
      ))}
      <p>
        Likes are net: a like that was taken back counts −1 on the day it was taken back. An upload counts once the
        video is ready.
      </p>
      <p>A day is a day of UTC, wherever you are. Choose a number to see the events behind it.</p>
    </aside>
  );
}
