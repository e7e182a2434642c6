import type { FeedTopic } from './feedDefinition.ts';

/** The words of the AsyncAPI document, in Markdown. */
export const channelTexts = {
  introduction: `What happens is pushed over Socket.io: subscribe to topics, and each event arrives once, in the order of the event log. \
After a lost connection, subscribe again with the position of the last event that arrived: nothing is missing and nothing comes twice. \
Progress of uploads is sent beside it, without any promise.

No message tells who liked or watched a video.

With long polling and several API processes, the load balancer must send all requests of a client to one process. Websockets need no such rule.`,
  apiServer: 'The port of the HTTP API (`PORT`). Progress of an upload goes to the sockets of its uploader only.',
  legacyServer:
    'For clients of the original server (`SOCKET_PORT`; switched off by `LEGACY_SOCKET=false`). It takes the same handshake and the same subscriptions. Progress of every upload goes to every socket, as a bare percentage.',
  token:
    'The access token that login gives, in the handshake of Socket.io: `auth: { token }`. Without one the connection is anonymous. When the token expires, the server closes the connection; the client reconnects and needs a new one.' +
    codes('\n\nA connection may be refused: `connect_error`, with one of these codes in `data.code`:', {
      token_invalid: 'the token is malformed, expired or of another server. Log in or refresh, or connect without one.',
      too_many_sockets: 'there are too many connections from your address.',
    }),
  subscribeErrors: codes('With `ok: false` comes one of these codes:', {
    invalid_subscription: 'the message is malformed.',
    token_required: 'the topic `me` needs a token in the handshake.',
    position_unknown: 'the log has not reached `since`; use a position that you were sent.',
    too_many_catch_ups: 'too many sockets of your address are catching up; try again in a few seconds.',
    feed_unavailable: 'the log cannot be read right now; try again shortly.',
  }),
  event: 'Something has happened. `data` depends on `type`. Keep `position`: it is what `since` takes.',
  eventError: 'The subscription has ended; no more events come from it.',
  eventErrors: codes('The codes are:', {
    too_far_behind:
      'more than 20 000 events have happened since the position. The connection stays: read the current state over HTTP, then subscribe without `since`.',
    feed_unavailable:
      'the log could not be read. The server closes the connection; the client reconnects and subscribes with `since`.',
  }),
  uploadProgress:
    "How far an upload of the user is, sent to that user's own sockets. The number rises and ends at 100. Steps may be missing; the answer to the upload, or the event `VideoProcessed`, is what counts.",
  publicUploadProgress:
    'What clients of the original server read: how far an upload is, and nothing else. Sent to every socket, whoever it belongs to.',
} as const;

/** About the message `subscribe`, with the topics that there are. */
export function subscribeText(topics: readonly FeedTopic[]): string {
  return `Send \`subscribe\` with the topics and, after a reconnect, with \`since\`. The acknowledgement says from which position on events come. \
A second \`subscribe\` on the same socket replaces the first.

${topics.map(({ description }) => description).join(' ')} \`me\` is all that happens to the caller's own videos, and what the caller likes; it needs a token in the handshake.`;
}

/** For `/docs/realtime`. */
export const resumeRules: readonly string[] = [
  'Subscribe on every `connect`, also on those after the first: subscriptions belong to a connection.',
  'Keep the `position` of the last event that you have handled (and the one of the acknowledgement, as long as there is none), and send it as `since`.',
  'Socket.io clients reconnect by themselves when the server restarts, when a token expires or when a client reads so slowly that 5 000 messages wait for it.',
  'Give `auth` as a function, so that every reconnect sends a fresh token.',
  'On `event_error` with `too_far_behind`, read the current state over HTTP and subscribe without `since`.',
];

function codes(introduction: string, meanings: Readonly<Record<string, string>>): string {
  return `${introduction}\n\n${Object.entries(meanings)
    .map(([code, meaning]) => `- \`${code}\`: ${meaning}`)
    .join('\n')}`;
}
