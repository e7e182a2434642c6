import { Badge } from '../../../components/Badge.tsx';
import { formatCount } from '../../../format.ts';
import styles from '../Operator.module.css';
import type { Verification } from './api.ts';

/** Rows and hash of each table, or where the rows differ from a replay of the log. */
export function VerificationResult({ result }: { readonly result: Verification }) {
  const { identical, position, tables } = result;
  return (
    <details open={!identical}>
      <summary>
        Verified at position {position}:{' '}
        <Badge tone={identical ? 'good' : 'bad'}>{identical ? 'identical' : 'differs from the log'}</Badge>
      </summary>
      <div className={styles.scroll} tabIndex={0} role="region" aria-label="Result of the verification">
        <table className={styles.table}>
          <thead>
            <tr>
              <th scope="col">Table</th>
              <th scope="col" className={styles.number}>
                Rows
              </th>
              <th scope="col" className={styles.number}>
                Differing
              </th>
              <th scope="col">Hash</th>
            </tr>
          </thead>
          <tbody>
            {tables.map(({ table, rows, differing, hash, drift }) => (
              <tr key={table}>
                <th scope="row">
                  {table}
                  {drift.length > 0 && <pre className={styles.data}>{JSON.stringify(drift, null, 1)}</pre>}
                </th>
                <td className={styles.number}>{formatCount(rows)}</td>
                <td className={styles.number}>{formatCount(differing)}</td>
                <td>
                  <code>{hash}</code>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}
