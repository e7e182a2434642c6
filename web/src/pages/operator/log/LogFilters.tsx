import { X } from 'lucide-react';
import { Button } from '../../../components/Button.tsx';
import { Field } from '../../../components/Field.tsx';
import styles from '../Operator.module.css';
import { route } from '../route.ts';
import type { LogFilter } from './logEvents.ts';

const FIELDS = [
  { name: 'type', label: 'Type', placeholder: 'VideoLiked,VideoUnliked' },
  { name: 'category', label: 'Category', placeholder: 'video' },
  { name: 'stream', label: 'Stream', placeholder: 'video-0198…' },
  { name: 'correlationId', label: 'Correlation id', placeholder: 'of one request' },
] as const;

/** The filter of the log, which lies in the address. */
export function LogFilters({ filter }: { readonly filter: LogFilter }) {
  const navigate = route.useNavigate();
  const isSet = Object.keys(filter).length > 0;
  return (
    <form
      role="search"
      aria-label="Filter the log"
      onSubmit={(event) => {
        event.preventDefault();
        const given = new FormData(event.currentTarget);
        const search = Object.fromEntries(
          FIELDS.map(({ name }) => [name, String(given.get(name) ?? '').trim() || undefined]),
        );
        void navigate({ search });
      }}
    >
      <div className={styles.filters}>
        {FIELDS.map(({ name, label, placeholder }) => (
          <Field
            key={name}
            label={label}
            name={name}
            placeholder={placeholder}
            defaultValue={filter[name] ?? ''}
            autoComplete="off"
            spellCheck={false}
          />
        ))}
      </div>
      <div className={styles.row}>
        <Button type="submit">Filter</Button>
        {isSet && (
          <Button look="quiet" onClick={() => void navigate({ search: {} })}>
            <X aria-hidden size={18} />
            Show all
          </Button>
        )}
      </div>
    </form>
  );
}
