/** What one daily user does in a day, on average, and how a day is shaped. Assumed, not measured: no product has run yet. */
export interface Behaviour {
  /** Pages of the feed, ten videos each. */
  readonly feedPages: number;
  /** The part of them that is the first page, which all users share. The others start at a cursor of their own. */
  readonly firstPages: number;
  readonly videosWatched: number;
  /** Likes given or taken back. */
  readonly likes: number;
  readonly uploads: number;
  /** Length of an uploaded clip. */
  readonly clipSeconds: number;
  /** Bytes a second of an upload, and of the rendition that is played. */
  readonly originalBytesPerSecond: number;
  readonly renditionBytesPerSecond: number;
  /** Registrations and logins: each hashes a password. */
  readonly passwordChecks: number;
  /** Minutes with an open socket. */
  readonly minutesOnline: number;
  /** The busiest minute of the day, as a multiple of the day's mean. */
  readonly peakFactor: number;
  /** Videos that are watched on a day. Their popularity follows Zipf's law with exponent 1. */
  readonly activeVideosPerUser: number;
}

/**
 * Half an hour a day. 35 views per user is what YouTube published for Shorts in 2023: 70 billion views a day by 2 billion signed-in
 * users a month. Fewer than that are there on one day, so 60.
 */
export const behaviour: Behaviour = {
  feedPages: 6,
  firstPages: 1 / 3,
  videosWatched: 60,
  likes: 3,
  uploads: 0.02,
  clipSeconds: 20,
  originalBytesPerSecond: 1_000_000,
  renditionBytesPerSecond: 300_000,
  passwordChecks: 0.05,
  minutesOnline: 30,
  peakFactor: 3,
  activeVideosPerUser: 0.2,
};

const DAY = 86_400;

/** What so many daily users cause, per second of the busiest minute unless a name says otherwise. */
export interface Load {
  readonly dailyUsers: number;
  readonly feedPages: number;
  readonly views: number;
  readonly likes: number;
  readonly uploads: number;
  readonly passwordChecks: number;
  readonly requests: number;
  readonly events: number;
  readonly eventsPerDay: number;
  readonly uploadsPerDay: number;
  readonly viewsPerDay: number;
  /** Open at a time. */
  readonly sockets: number;
  readonly activeVideos: number;
}

export function loadOf(dailyUsers: number, each: Behaviour = behaviour): Load {
  const peak = (perUser: number): number => (dailyUsers * perUser * each.peakFactor) / DAY;
  const [feedPages, views, likes, uploads, passwordChecks] = [
    peak(each.feedPages),
    peak(each.videosWatched),
    peak(each.likes),
    peak(each.uploads),
    peak(each.passwordChecks),
  ];
  // An upload is two events, a login or a registration about two.
  const eventsPerUser = each.videosWatched + each.likes + 2 * each.uploads + 2 * each.passwordChecks;
  return {
    dailyUsers,
    feedPages,
    views,
    likes,
    uploads,
    passwordChecks,
    requests: feedPages + views + likes + uploads + passwordChecks,
    events: peak(eventsPerUser),
    eventsPerDay: dailyUsers * eventsPerUser,
    uploadsPerDay: dailyUsers * each.uploads,
    viewsPerDay: dailyUsers * each.videosWatched,
    sockets: ((dailyUsers * each.minutesOnline) / (24 * 60)) * each.peakFactor,
    activeVideos: dailyUsers * each.activeVideosPerUser,
  };
}
