import { useState } from 'react';
import { Badge } from '../../../components/Badge.tsx';
import { Button } from '../../../components/Button.tsx';
import { ConfirmDialog } from '../../../components/ConfirmDialog.tsx';
import { formatBytes, formatCount, formatMoment } from '../../../format.ts';
import styles from '../Operator.module.css';
import { useAction } from '../useAction.ts';
import { act, isOpen, type Action, type Projection } from './api.ts';
import { ParkedEvents } from './ParkedEvents.tsx';
import { Progress } from './Progress.tsx';
import { VerificationResult } from './VerificationResult.tsx';

const TONES = { live: 'good', rebuilding: 'info', behind: 'warn', failing: 'bad' } as const;

export function ProjectionCard({ projection }: { readonly projection: Projection }) {
  const { name, state, version, declaredVersion, position, head, lag, tables, parkedEvents } = projection;
  const [asked, setAsked] = useState<'rebuild' | 'rollback'>();
  const action = useAction((what: Action) => act(name, what), ['operator', 'projections']);
  const rows = tables.reduce((sum, table) => sum + table.rows, 0);
  const bytes = tables.reduce((sum, table) => sum + table.bytes, 0);
  const rebuilding = isOpen(projection.rebuild);
  const kept = projection.kept;
  const confirmed = (): void => {
    if (asked !== undefined) action.mutate(asked);
    setAsked(undefined);
  };
  return (
    <section className={styles.card} aria-labelledby={`projection-${name}`}>
      <div className={`${styles.row} ${styles.spread}`}>
        <div className={styles.row}>
          <h2 id={`projection-${name}`}>{name}</h2>
          <Badge tone={TONES[state]}>{state}</Badge>
        </div>
        <div className={styles.row}>
          <Button onClick={() => action.mutate('verify')} disabled={isOpen(projection.verification)}>
            Verify
          </Button>
          {rebuilding ? (
            <Button onClick={() => action.mutate('cancel')}>Cancel the rebuild</Button>
          ) : (
            <Button onClick={() => setAsked('rebuild')}>Rebuild</Button>
          )}
          {kept !== null && !rebuilding && <Button onClick={() => setAsked('rollback')}>Roll back</Button>}
        </div>
      </div>
      <dl className={styles.facts}>
        <Fact name="Version">
          {version ?? 'none'}
          {version !== null && version !== declaredVersion && ` of ${declaredVersion}`}
        </Fact>
        <Fact name="Position">
          {formatCount(Number(position))} of {formatCount(Number(head))}
        </Fact>
        <Fact name="Lag">
          {formatCount(lag.events)} events, {lag.seconds.toFixed(1)} s
        </Fact>
        <Fact name="Rows">{formatCount(rows)}</Fact>
        <Fact name="Size">{formatBytes(bytes)}</Fact>
        {projection.variant && <Fact name="Settings">{projection.variant}</Fact>}
        {kept !== null && <Fact name="Older tables kept until">{formatMoment(kept.until)}</Fact>}
      </dl>
      {projection.upgrade !== null && (
        <p className={styles.soft}>
          New tables are being built: position {projection.upgrade.position}, {formatCount(projection.upgrade.rate)} a
          second.
        </p>
      )}
      <Progress label="Rebuild" operation={projection.rebuild} />
      <Progress label="Rollback" operation={projection.rollback} />
      <Progress label="Verification" operation={projection.verification} />
      {projection.verification?.result != null && <VerificationResult result={projection.verification.result} />}
      {parkedEvents > 0 && <ParkedEvents name={name} count={parkedEvents} />}
      <ConfirmDialog
        open={asked !== undefined}
        title={asked === 'rebuild' ? `Rebuild ${name}?` : `Roll ${name} back?`}
        confirm={asked === 'rebuild' ? 'Rebuild' : 'Roll back'}
        onConfirm={confirmed}
        onClose={() => setAsked(undefined)}
      >
        {asked === 'rebuild'
          ? 'The tables are made anew from the log. The old ones answer until the new ones replace them.'
          : 'The tables before the last rebuild become live again, with all that has happened since. Another rollback undoes this one.'}
      </ConfirmDialog>
    </section>
  );
}

function Fact({ name, children }: { readonly name: string; readonly children: React.ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
