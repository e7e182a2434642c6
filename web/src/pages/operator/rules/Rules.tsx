import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { answerOf, api } from '../../../api/client.ts';
import { Button } from '../../../components/Button.tsx';
import { Chart } from '../../../components/Chart.tsx';
import { Field } from '../../../components/Field.tsx';
import { Empty, Failure, Skeleton } from '../../../components/States.tsx';
import { dayOf, daysBetween, formatCount, MS_PER_DAY } from '../../../format.ts';
import styles from '../Operator.module.css';
import { route } from '../route.ts';

const KNOWN = ['counted', 'daily-unique', 'not-the-owner'];

interface Question {
  readonly from: string;
  readonly to: string;
  readonly a: string;
  readonly b: string;
}

export default function Rules() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const [now] = useState(Date.now);
  const today = dayOf(now);
  const question: Question = {
    from: search.from ?? dayOf(now - 29 * MS_PER_DAY),
    to: search.to ?? today,
    a: search.a ?? 'counted',
    b: search.b ?? 'daily-unique',
  };
  return (
    <>
      <form
        key={JSON.stringify(question)}
        onSubmit={(event) => {
          event.preventDefault();
          const given = new FormData(event.currentTarget);
          const of = (name: string): string => String(given.get(name) ?? '').trim();
          void navigate({ search: { from: of('from'), to: of('to'), a: of('a'), b: of('b') } });
        }}
      >
        <div className={styles.filters}>
          <Field label="First rule" name="a" list="view-rules" defaultValue={question.a} required />
          <Field
            label="Second rule"
            name="b"
            list="view-rules"
            defaultValue={question.b}
            required
            hint="Join rules with +"
          />
          <Field label="From" name="from" type="date" defaultValue={question.from} max={today} required />
          <Field label="To" name="to" type="date" defaultValue={question.to} required />
        </div>
        <datalist id="view-rules">
          {KNOWN.map((rule) => (
            <option key={rule} value={rule} />
          ))}
        </datalist>
        <Button type="submit">Compare</Button>
      </form>
      <Comparison {...question} />
    </>
  );
}

function Comparison({ from, to, a, b }: Question) {
  const { data, error, isPending, refetch } = useQuery({
    queryKey: ['operator', 'rules', from, to, a, b],
    queryFn: async ({ signal }) =>
      (await answerOf(api.POST('/api/v1/admin/replays', { body: { from, to, rules: [a, b] }, signal }))).data,
    staleTime: 60_000,
  });
  if (isPending) return <Skeleton lines={5} label="Counting the views again" />;
  if (data === undefined) return <Failure error={error} onRetry={() => void refetch()} />;
  if (data.days.length === 0) return <Empty title="No views on these days">Choose another range.</Empty>;
  const views = new Map(data.days.map(({ date, views }) => [date, views]));
  const days = daysBetween(from, to);
  const valuesOf = (rule: string): number[] => days.map((day) => views.get(day)?.[rule] ?? 0);
  const [first, second] = [valuesOf(a), valuesOf(b)];
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  const difference = sum(second) - sum(first);
  return (
    <Chart
      title="Views of all videos by day"
      summary={`${a} counts ${formatCount(sum(first))} views, ${b} ${formatCount(sum(second))}: ${
        difference === 0 ? 'no difference' : `${formatCount(Math.abs(difference))} ${difference > 0 ? 'more' : 'fewer'}`
      }.`}
      days={days}
      series={[
        { label: a, values: first, look: 'line', color: 1 },
        { label: b, values: second, look: 'line', color: 2 },
      ]}
    />
  );
}
