import { History, Pause, Play, SkipForward } from 'lucide-react';
import { useEffect, useEffectEvent, useState } from 'react';
import { Button } from '../../../components/Button.tsx';
import { formatCount, formatMoment } from '../../../format.ts';
import { DraftField } from './DraftField.tsx';
import styles from './TimeSlider.module.css';
import { fromLocalInput, toLocalInput, zoneName } from './localTime.ts';

interface TimeSliderProps {
  /** Milliseconds since 1970. */
  readonly from: number;
  readonly to: number;
  /** A moment in UTC; undefined is now. */
  readonly value: string | undefined;
  /** Where the log was at that moment, once it is known. */
  readonly position: string | undefined;
  readonly isLoading: boolean;
  readonly onChange: (moment: string | undefined) => void;
}

/** Places of the slider. The last one is now. */
const STEPS = 400;
/** Steps of each frame while time goes by. */
const STRIDE = 6;
/** Milliseconds that each frame is shown at least. */
const FRAME = 120;
/** Milliseconds without movement after which the moment is asked for. */
const CALM = 90;

/** Goes to any moment since the first upload: by slider, to the second, or as time goes by. */
export function TimeSlider({ from, to, value, position, isLoading, onChange }: TimeSliderProps) {
  /** Where the thumb is while it moves. */
  const [draft, setDraft] = useState<number>();
  const [isPlaying, setPlaying] = useState(false);
  const step = draft ?? (value === undefined ? STEPS : placeOf(Date.parse(value), from, to));
  const momentAt = (place: number): number => Math.round(from + ((to - from) * place) / STEPS);
  const shown = draft === undefined ? (value === undefined ? to : Date.parse(value)) : momentAt(draft);
  const isNow = step >= STEPS;

  const go = (place: number): void => onChange(place >= STEPS ? undefined : new Date(momentAt(place)).toISOString());
  const settle = useEffectEvent((place: number) => {
    go(place);
    setDraft(undefined);
  });
  useEffect(() => {
    if (draft === undefined) return;
    const timer = setTimeout(() => settle(draft), CALM);
    return () => clearTimeout(timer);
  }, [draft]);

  const advance = useEffectEvent(() => {
    const next = Math.min(STEPS, step + STRIDE);
    go(next);
    if (next === STEPS) setPlaying(false);
  });
  useEffect(() => {
    // The next frame comes after the answer to this one.
    if (!isPlaying || isLoading) return;
    const timer = setTimeout(() => advance(), FRAME);
    return () => clearTimeout(timer);
  }, [isPlaying, isLoading, value]);

  const play = (): void => {
    if (!isPlaying && isNow) go(0);
    setPlaying(!isPlaying);
  };

  return (
    <section className={styles.slider} aria-label="Time" data-past={!isNow || undefined}>
      <div className={styles.line}>
        <Button
          className={styles.play}
          onClick={play}
          aria-label={isPlaying ? 'Pause' : 'Let time go by'}
          title={isPlaying ? 'Pause' : 'Let time go by'}
        >
          {isPlaying ? <Pause aria-hidden size={18} /> : <Play aria-hidden size={18} />}
        </Button>
        <div className={styles.track}>
          <input
            type="range"
            min={0}
            max={STEPS}
            value={step}
            aria-label="Moment"
            aria-valuetext={isNow ? 'now' : formatMoment(new Date(shown))}
            style={{ '--share': step / STEPS } as React.CSSProperties}
            onChange={(event) => {
              setPlaying(false);
              setDraft(event.target.valueAsNumber);
            }}
          />
          <div className={styles.ends} aria-hidden>
            <span>First upload</span>
            <span>Now</span>
          </div>
        </div>
        <DraftField
          label={`Exact time (${zoneName()})`}
          type="datetime-local"
          step={1}
          min={toLocalInput(from)}
          max={toLocalInput(to)}
          value={toLocalInput(shown)}
          onChange={(text) => {
            const moment = fromLocalInput(text);
            if (moment === undefined || moment < from || moment > to) return;
            setPlaying(false);
            onChange(new Date(moment).toISOString());
          }}
        />
      </div>
      <div role="status" className={styles.status}>
        {!isNow && (
          <p>
            <History aria-hidden size={18} />
            <span>
              <strong>As of {formatMoment(new Date(shown))}.</strong> Nothing that was recorded later counts.
              {position !== undefined && ` The log was at position ${formatCount(Number(position))}.`}
            </span>
            <Button
              onClick={() => {
                setPlaying(false);
                setDraft(undefined);
                onChange(undefined);
              }}
            >
              <SkipForward aria-hidden size={16} />
              Back to now
            </Button>
          </p>
        )}
      </div>
    </section>
  );
}

/** The last place is kept for now. */
function placeOf(moment: number, from: number, to: number): number {
  const place = Math.round(((moment - from) / (to - from)) * STEPS);
  return Math.max(0, Math.min(STEPS - 1, place));
}
