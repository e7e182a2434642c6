import { route } from '../route.ts';
import { Case } from './Case.tsx';
import { Queue } from './Queue.tsx';

/** The queue of reported videos, or one of them. */
export default function Reports() {
  const { video, state } = route.useSearch();
  if (video !== undefined) return <Case key={video} videoId={video} />;
  return <Queue state={state === 'decided' ? 'decided' : 'open'} />;
}
