import { useQuery } from '@tanstack/react-query';
import { Failure, Skeleton } from '../../../components/States.tsx';
import styles from '../Operator.module.css';
import { projectionsQuery } from './api.ts';
import { ProjectionCard } from './ProjectionCard.tsx';

export default function Projections() {
  const { data, error, isPending, refetch } = useQuery(projectionsQuery);
  if (isPending) return <Skeleton lines={6} label="Loading the projections" />;
  if (data === undefined) return <Failure error={error} onRetry={() => void refetch()} />;
  return (
    <div className={styles.cards}>
      {data.map((projection) => (
        <ProjectionCard key={projection.name} projection={projection} />
      ))}
    </div>
  );
}
