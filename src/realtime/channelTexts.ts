import type { FeedTopic } from './feedDefinition.ts';

/** The texts of the AsyncAPI document, in Markdown. */
export const channelTexts = {
  introduction: `Events are pushed over Socket.io: subscribe to topics, and each event arrives once, in the order of the event log. \
After a lost connection, subscribe again with the position of the last event that arrived. No event is then missing, and none comes twice. \
The progress of uploads is sent too, but steps of it may be missing.

No message says who liked or watched a video, except to admins, who may follow the whole log.

With long polling and several API processes, the load balancer must send all requests of a client to one process. Websockets need no such rule.`,
  apiServer:
    'The port of the HTTP API (`PORT`). The progress of an upload is sent to the sockets of its uploader only.',
  legacyServer:
    'For clients of the original server (`SOCKET_PORT`; switched off by `LEGACY_SOCKET=false`). It accepts the same handshake and the same subscriptions. The progress of every upload is sent to every socket, as a bare percentage.',
  token:
    'The access token from login, in the handshake of Socket.io: `auth: { token }`. Without a token the connection is anonymous. When the token expires, the server closes the connection. The client then reconnects with a new token.' +
    codes('\n\nA connection may be refused: `connect_error`, with one of these codes in `data.code`:', {
      token_invalid:
        'the token is malformed, expired or from another server. Log in or refresh, or connect without one.',
      too_many_sockets: 'there are too many connections from your address.',
    }),
  subscribeErrors: codes('`ok: false` comes with one of these codes:', {
    invalid_subscription: 'the message is malformed.',
    token_required: 'the topic `me` needs a token in the handshake.',
    admin_required: 'the topic `log` needs a token with the role `admin`.',
    position_unknown: 'the log has not reached `since`; use a position that the server sent you.',
    too_many_catch_ups: 'too many sockets from your address are catching up; try again in a few seconds.',
    feed_unavailable: 'the log cannot be read right now; try again shortly.',
  }),
  event: 'An event. `data` depends on `type`. Keep `position` for `since`.',
  logEvent:
    'For subscribers of `log`: every event of the log, in the form of `GET /api/v1/admin/events`. Personal data is left out. No event is missing or comes twice, however long ago `since` is; `too_far_behind` is never sent.',
  eventError: 'The subscription has ended; no more events come from it.',
  eventErrors: codes('The codes are:', {
    too_far_behind:
      'more than 20 000 events of the feed have happened since the position. The connection stays open: read the current state over HTTP, then subscribe without `since`.',
    feed_unavailable:
      'the log could not be read. The server closes the connection; the client reconnects and subscribes with `since`.',
  }),
  uploadProgress:
    "How far an upload of the user is, sent to that user's own sockets. The number rises and ends at 100. Steps may be missing: rely on the answer to the upload or on the event `VideoProcessed`.",
  publicUploadProgress:
    'For clients of the original server: how far an upload is, and nothing else. Sent to every socket.',
} as const;

/** Describes the message `subscribe` and its topics. */
export function subscribeText(topics: readonly FeedTopic[]): string {
  return `Send \`subscribe\` with the topics and, after a reconnect, with \`since\`. The acknowledgement contains the position after which events are sent. \
A second \`subscribe\` on the same socket replaces the first.

${topics.map(({ description }) => description).join(' ')} \`me\` has all events of the caller's own videos, and the caller's likes. It needs a token in the handshake. \
\`log\` has every event of the log. It needs a token with the role \`admin\`, and no other topic may be beside it.`;
}

/** For `/docs/realtime`. */
export const resumeRules: readonly string[] = [
  'Subscribe on every `connect`, not only on the first: a subscription ends with its connection.',
  'Keep the `position` of the last event that you have handled, and send it as `since`. Before the first event, use the position in the acknowledgement.',
  'The server closes the connection when it restarts, when the token expires, and when 5 000 messages wait for a slow client. Socket.io clients reconnect by themselves.',
  'Give `auth` as a function, so that every reconnect sends a fresh token.',
  'On `event_error` with `too_far_behind`, read the current state over HTTP and subscribe without `since`.',
];

function codes(introduction: string, meanings: Readonly<Record<string, string>>): string {
  return `${introduction}\n\n${Object.entries(meanings)
    .map(([code, meaning]) => `- \`${code}\`: ${meaning}`)
    .join('\n')}`;
}
