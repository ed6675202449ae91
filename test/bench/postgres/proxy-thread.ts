import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';

const SYNC = 0x53;
const QUERY = 0x51;
const LENGTH_BYTES = 4;

const server: { readonly host: string; readonly port: number } = workerData;
let count = 0;
let delayMs = 0;

/** Counts the messages that the server answers: a simple query, or the Sync behind an extended one. */
function countMessages(): (chunk: Buffer) => void {
  // The first message has a length and no type.
  let isStarted = false;
  let rest: Buffer = Buffer.alloc(0);
  return (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (;;) {
      const head = isStarted ? 1 : 0;
      if (rest.length < head + LENGTH_BYTES) return;
      const end = head + rest.readUInt32BE(head);
      if (rest.length < end) return;
      if (isStarted && (rest[0] === SYNC || rest[0] === QUERY)) count += 1;
      isStarted = true;
      rest = rest.subarray(end);
    }
  };
}

function carry(client: Socket): void {
  const upstream = connect(server.port, server.host);
  const read = countMessages();
  for (const socket of [client, upstream]) {
    socket.setNoDelay(true);
    socket.on('error', () => {
      client.destroy();
      upstream.destroy();
    });
  }
  client.on('data', (chunk) => {
    read(chunk);
    if (delayMs === 0) upstream.write(chunk);
    else setTimeout(() => upstream.write(chunk), delayMs);
  });
  client.on('end', () => setTimeout(() => upstream.end(), delayMs + 1));
  upstream.pipe(client);
}

const listener = createServer(carry).listen(0, '127.0.0.1', () => {
  parentPort?.postMessage((listener.address() as AddressInfo).port);
});
parentPort?.on('message', (message: unknown) => {
  if (typeof message === 'number') delayMs = message;
  else {
    parentPort?.postMessage(count);
    count = 0;
  }
});
