import { useState } from 'react';
import { Field } from '../../../components/Field.tsx';

interface DraftFieldProps {
  readonly label: string;
  readonly type: 'date' | 'datetime-local';
  readonly value: string;
  readonly min?: string;
  readonly max?: string;
  readonly step?: number;
  /** Gets each complete value. It may ignore one: while somebody types a year, it is 0002 at first. */
  readonly onChange: (value: string) => void;
}

/** A field that keeps what is being typed until it is left. */
export function DraftField({ value, onChange, ...rest }: DraftFieldProps) {
  const [draft, setDraft] = useState<string>();
  return (
    <Field
      {...rest}
      required
      value={draft ?? value}
      onBlur={() => setDraft(undefined)}
      onChange={(event) => {
        setDraft(event.target.value);
        if (event.target.value !== '') onChange(event.target.value);
      }}
    />
  );
}
