import type { VideoViewed } from '../src/features/views/events.ts';

/** What a rule is asked about: one recorded view. */
export type RecordedView = VideoViewed['data'];

/**
 * Which recorded views count as views of a video. A rule is pure: the same view gives the same answer at any time, or a
 * replay of the log would give other numbers than those in place.
 */
export interface ViewRule {
  /** Lower-case words joined by hyphens. It is stored with the rows, so a rule that counts otherwise needs another name. */
  readonly name: string;
  /** One sentence for people who choose between the rules. */
  readonly description: string;
  /** Whether the view counts. Without it, every view does. */
  readonly counts?: (view: RecordedView) => boolean;
  /**
   * Of the views that `counts` accepts, those of one video on one day (UTC) with the same key count once: the first in the
   * log does. Without it, each of them counts.
   */
  readonly oncePerDay?: (view: RecordedView) => string;
}

/** The UTC day that analytics count the view under. */
export function dayOf({ at }: Pick<RecordedView, 'at'>): string {
  return at.slice(0, 10);
}

/** The name of the rule that counts every view as it was recorded. */
export const AS_RECORDED = 'counted';

/** Names the rule in `Projection.variant`. */
export function variantOf({ name }: ViewRule): string {
  return name === AS_RECORDED ? '' : name;
}

/** The name of the rule that a variant stands for. */
export function ruleNameOf(variant: string): string {
  return variant === '' ? AS_RECORDED : variant;
}
