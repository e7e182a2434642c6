import { Link } from '@tanstack/react-router';
import { Heart, Play, Upload } from 'lucide-react';
import { buttonClass } from '../../components/Button.tsx';
import { useLiveEvents } from '../../live/useLiveEvents.ts';
import { useSession } from '../../session/useSession.ts';
import { heardOfFeed, readFeedAgain } from '../../videos/videoQueries.ts';
import styles from './Welcome.module.css';

/** What the first visitor sees: nobody has uploaded anything. The first video appears by itself. */
export function Welcome() {
  const { status } = useSession();
  const isMember = status === 'signedIn';
  const readAgain = (position: string): void => {
    heardOfFeed(position);
    void readFeedAgain();
  };
  useLiveEvents(
    ['feed'],
    ({ type, position }) => {
      if (['VideoProcessed', 'VideoVisibilityChanged', 'VideoRestored'].includes(type)) readAgain(position);
    },
    readAgain,
  );
  return (
    <div className={styles.welcome}>
      <div className={styles.picture} aria-hidden>
        <div className={styles.reel} />
        <div className={styles.reel}>
          <Play size={48} fill="currentColor" strokeWidth={0} />
          <span className={styles.badge}>
            <Heart size={22} fill="currentColor" strokeWidth={0} />
          </span>
        </div>
        <div className={styles.reel} />
      </div>
      <div className={styles.words}>
        <h2>Nothing is playing yet. Be the first.</h2>
        <p>
          {isMember
            ? 'Upload an MP4 of up to 60 seconds. It plays here as soon as it is ready.'
            : 'Create an account, upload an MP4 of up to 60 seconds, and watch it play here a moment later.'}
        </p>
        <div className={styles.actions}>
          {isMember ? (
            <Link to="/studio/upload" className={buttonClass} data-look="primary">
              <Upload aria-hidden size={18} /> Upload the first video
            </Link>
          ) : (
            <>
              <Link to="/sign-up" search={{ next: '/studio/upload' }} className={buttonClass} data-look="primary">
                Create an account
              </Link>
              <Link to="/sign-in" search={{ next: '/studio/upload' }} className={buttonClass}>
                Sign in
              </Link>
            </>
          )}
        </div>
      </div>
    </div>
  );
}
