// Prints events as they happen:
//
//   node examples/realtime.js [topic…]        topics: feed (default), video:<id>, me, log
//
// Environment: URL is the server (default http://localhost:3000), TOKEN an access token (needed for "me", and of an admin for "log"), SINCE the position
// after which to begin. The program reconnects after a restart of the server and misses no event. Ctrl-C ends it.
import { io } from 'socket.io-client';

const { URL: url = 'http://localhost:3000', TOKEN: token, SINCE: since } = process.env;
const topics = process.argv.length > 2 ? process.argv.slice(2) : ['feed'];

/** The position of the last handled event. The next subscription begins after it. */
let position = since;

const socket = io(url, {
  // Called at each reconnect. A long-running program returns a fresh token here.
  auth: (give) => give(token === undefined ? {} : { token }),
  reconnectionDelayMax: 2_000,
});

// A subscription ends with its connection, so this subscribes again after each reconnect.
socket.on('connect', async () => {
  const answer = await socket.emitWithAck('subscribe', { topics, ...(position !== undefined && { since: position }) });
  if (!answer.ok) return stop(answer.error);
  position ??= answer.position;
  console.error(`subscribed to ${topics.join(', ')} after position ${position}`);
});

socket.on('event', (event) => {
  console.log(JSON.stringify(event));
  position = event.position;
});

// "feed_unavailable" needs no handling: the server closes the connection, and the reconnect subscribes again.
socket.on('event_error', (error) => {
  if (error.code === 'too_far_behind') stop(error);
});

socket.on('disconnect', (reason) => console.error(`disconnected (${reason})`));

socket.on('connect_error', (error) => {
  // The server refuses the token, so a retry does not help. After other errors, Socket.io retries by itself.
  if (error.data?.code === 'token_invalid') stop({ code: error.data.code, message: error.message });
});

function stop({ code, message }) {
  console.error(`${code}: ${message}`);
  process.exitCode = 1;
  socket.disconnect();
}
