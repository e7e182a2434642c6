/**
 * The id in the name of a stream that says what it is about: the video of `video-<videoId>`, `like-<videoId>_<userId>`,
 * `views-<videoId>_<day>`, `report-<videoId>_<userId>` and `reports-<videoId>`, the user of `user-<userId>`.
 */
export function streamSubject(stream: string): string {
  const from = stream.indexOf('-') + 1;
  const end = stream.indexOf('_', from);
  return end === -1 ? stream.slice(from) : stream.slice(from, end);
}
