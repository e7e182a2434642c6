// Prints what happens, as it happens:
//
//   node examples/realtime.js [topic…]        topics: feed (default), video:<id>, me
//
// URL is the server (http://localhost:3000), TOKEN an access token (needed for "me"), SINCE a position to begin after.
// Restart the server meanwhile: the program reconnects and misses nothing. Ctrl-C ends it.
import { io } from 'socket.io-client';

const { URL: url = 'http://localhost:3000', TOKEN: token, SINCE: since } = process.env;
const topics = process.argv.length > 2 ? process.argv.slice(2) : ['feed'];

/** The last event that has been handled; where the next subscription begins. */
let position = since;

const socket = io(url, {
  // A function is called at every reconnect: a program that runs for long gets a fresh token here.
  auth: (give) => give(token === undefined ? {} : { token }),
  reconnectionDelayMax: 2_000,
});

// Subscriptions belong to a connection, so this happens after each reconnect as well.
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

// "feed_unavailable" needs nothing: the server closes the connection, and the reconnect subscribes again.
socket.on('event_error', (error) => {
  if (error.code === 'too_far_behind') stop(error);
});

socket.on('disconnect', (reason) => console.error(`disconnected (${reason})`));

socket.on('connect_error', (error) => {
  // Refused by the server, where trying again does not help; otherwise the server is away, and Socket.io tries again by itself.
  if (error.data?.code === 'token_invalid') stop({ code: error.data.code, message: error.message });
});

function stop({ code, message }) {
  console.error(`${code}: ${message}`);
  process.exitCode = 1;
  socket.disconnect();
}
