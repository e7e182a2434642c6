import { Link } from '@tanstack/react-router';
import { Compass } from 'lucide-react';
import { buttonClass } from './Button.tsx';
import { Empty } from './States.tsx';

export function NotFound() {
  return (
    <Empty
      title="There is nothing at this address"
      icon={Compass}
      action={
        <Link to="/" className={buttonClass} data-look="primary">
          Watch videos
        </Link>
      }
    >
      The link may be old, or the video was deleted.
    </Empty>
  );
}
