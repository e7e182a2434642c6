import { ChevronDown, ChevronUp } from 'lucide-react';
import { RailButton } from '../../player/RailButton.tsx';
import styles from './Feed.module.css';
import { Shortcuts } from './Shortcuts.tsx';

interface FeedStepsProps {
  readonly hasBack: boolean;
  readonly hasOn: boolean;
  onBack(): void;
  onOn(): void;
}

/** The way to the next video for a mouse and for screen readers. Fingers swipe. */
export function FeedSteps({ hasBack, hasOn, onBack, onOn }: FeedStepsProps) {
  return (
    <div className={styles.steps}>
      <RailButton icon={ChevronUp} aria-label="Previous video" disabled={!hasBack} onClick={onBack} />
      <RailButton icon={ChevronDown} aria-label="Next video" disabled={!hasOn} onClick={onOn} />
      <Shortcuts />
    </div>
  );
}
