import { z } from 'zod';
import { dailyNumbers, type DailyNumber } from '../../../projections/analytics.ts';
import { counted, eachCount, videoCounts, type Counted } from '../../../projections/videoCounts.ts';
import { exampleValues } from '../../http/documents/exampleValues.ts';

/** A count whose events may take back what others added, so the number of a day or a range may be negative. */
const canFall = (what: Counted): boolean => Object.values<number>(videoCounts[what].on).some((by) => by < 0);

/** The number of a range of days. `example` is what the document shows. */
function numberOfRange(what: Counted): z.ZodInt32 {
  const example = { examples: [videoCounts[what].example] };
  if (!canFall(what)) return z.int32().min(0).meta(example);
  return z
    .int32()
    .meta({ description: `Each ${what} less each one taken back in the range, so it may be below zero.`, ...example });
}

const dayCount = (example: number) =>
  z.object({ date: z.iso.date().meta({ examples: ['2025-07-14'] }), count: z.int32().meta({ examples: [example] }) });

export type DayCount = z.infer<ReturnType<typeof dayCount>>;

const daysOf = (what: Counted) =>
  z
    .array(dayCount(videoCounts[what].example))
    .meta({
      description: canFall(what)
        ? `Each ${what} less each one taken back, by day, in order. Days with a difference of zero are left out.`
        : `Days with ${what}s, in order.`,
    });

type Total<Number extends string> = `total${Capitalize<Number>}`;

/** One field for each number of a day: `totalViews`, `totalLikes`, `totalUploads`. */
export function eachTotal<Value>(valueOf: (number: DailyNumber) => Value): Record<Total<DailyNumber>, Value> {
  const field = (number: string): string => `total${number[0]!.toUpperCase()}${number.slice(1)}`;
  return Object.fromEntries(dailyNumbers.map((number) => [field(number), valueOf(number)])) as never;
}

const schemaOfNumber: Record<DailyNumber, z.ZodInt32> = {
  ...eachCount('s', numberOfRange),
  uploads: z
    .int32()
    .min(0)
    .meta({ examples: [1] }),
};

/** The answer to a question about a user's videos in a range of days. */
export const reportSchema = z.object({
  ...eachTotal((number) => schemaOfNumber[number]),
  ...eachCount('sOverTime', daysOf),
  topVideos: z
    .array(
      z.object({
        id: z.uuid().meta({ examples: [exampleValues.videoId] }),
        title: z.string().meta({ examples: ['Test card'] }),
        ...eachCount('Count', numberOfRange),
      }),
    )
    .max(5)
    .meta({ description: `Five at most, by ${counted.map((what) => `${what}s`).join(', then by ')} in the range.` }),
  engagementRate: z
    .number()
    .meta({ description: 'totalLikes ÷ totalViews × 100, not rounded; 0 without views.', examples: [60] }),
});

/** Beside the report: what its numbers mean. */
export const reportMetaSchema = z.object({
  rule: z
    .string()
    .meta({
      description:
        'The rule that says which of the recorded views are counted: `counted` (all of them), or the one that the server was told to count under.',
      examples: ['counted'],
    }),
});

export type AnalyticsReport = z.infer<typeof reportSchema>;

/** The numbers of a day; one that is missing is 0. */
export type DayNumbers = { readonly day: string } & Partial<Readonly<Record<DailyNumber, number>>>;

/** A video with its counts; one that is missing is 0. */
export type TopVideo = { readonly id: string; readonly title: string } & Partial<
  Readonly<Record<`${Counted}Count`, number>>
>;

/** What a report is made from, whichever tables it comes from. */
export interface NumbersOfRange {
  /** The view rule that the views were counted under. */
  readonly rule: string;
  /** In order. Days on which nothing happened may be missing. */
  readonly days: readonly DayNumbers[];
  readonly top: readonly TopVideo[];
}

export function reportOf({ days, top }: NumbersOfRange): AnalyticsReport {
  const on = (day: DayNumbers, number: DailyNumber): number => day[number] ?? 0;
  const totals = eachTotal((number) => days.reduce((sum, day) => sum + on(day, number), 0));
  const overTime = (number: DailyNumber): DayCount[] =>
    days.filter((day) => on(day, number) !== 0).map((day) => ({ date: day.day, count: on(day, number) }));
  return {
    ...totals,
    ...eachCount('sOverTime', (what) => overTime(`${what}s`)),
    topVideos: top.map((video) => ({ ...eachCount('Count', () => 0), ...video })),
    // Not rounded: the clients of the original server do that themselves.
    engagementRate: totals.totalViews === 0 ? 0 : (totals.totalLikes / totals.totalViews) * 100,
  };
}
