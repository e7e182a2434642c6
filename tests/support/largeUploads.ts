// Sends large uploads at the same time, in a process of its own, so that its buffers do not count as the server's.
// Arguments: port, number of uploads, bytes of each. Prints the statuses.
import { request } from 'node:http';
import { Readable } from 'node:stream';

const [port, count, bytes] = process.argv.slice(2).map(Number) as [number, number, number];

function* form(): Generator<Buffer> {
  yield Buffer.from('--x\r\nContent-Disposition: form-data; name="video"; filename="large.mp4"\r\n\r\n');
  for (let left = bytes; left > 0; left -= 65_536) yield Buffer.alloc(Math.min(left, 65_536), 7);
  yield Buffer.from('\r\n--x--\r\n');
}

const statuses = await Promise.all(
  Array.from(
    { length: count },
    () =>
      new Promise((resolve, reject) => {
        const headers = { 'content-type': 'multipart/form-data; boundary=x' };
        const upload = request({ port, host: '127.0.0.1', method: 'POST', headers }, (response) =>
          resolve(response.resume().statusCode),
        );
        Readable.from(form()).pipe(upload.on('error', reject));
      }),
  ),
);
process.stdout.write(statuses.join(' '));
