import { type AddressInfo, createServer, connect as dial, type Server, type Socket } from 'node:net';

/**
 * A way to the server on which commits get lost: of those that it is told to cut, every second one never reaches the server,
 * and of the others the answer never comes back. It knows COMMIT by its word, which PostgreSQL and MySQL send alike.
 */
export class CommitProxy {
  /** How many of the next commits are cut. */
  toCut = 0;
  cutBefore = 0;
  cutAfter = 0;
  readonly #port: number;
  readonly #server: Server = createServer((client) => this.#join(client));
  readonly #sockets = new Set<Socket>();

  /** @param port where the server listens on 127.0.0.1 */
  constructor(port: number) {
    this.#port = port;
  }

  /** @returns the port of this */
  async open(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #join(client: Socket): void {
    const server = dial(this.#port, '127.0.0.1');
    const both = [client, server];
    let losesAnswer = false;
    const end = () => {
      for (const socket of both) {
        this.#sockets.delete(socket);
        socket.destroy();
      }
    };
    for (const socket of both) {
      this.#sockets.add(socket);
      socket.on('error', end).on('close', end);
    }
    client.on('data', (chunk) => {
      if (this.toCut > 0 && chunk.includes('COMMIT')) {
        this.toCut -= 1;
        if ((this.cutBefore + this.cutAfter) % 2 === 0) {
          this.cutBefore += 1;
          end();
          return;
        }
        losesAnswer = true;
      }
      server.write(chunk);
    });
    server.on('data', (chunk) => {
      if (!losesAnswer) {
        client.write(chunk);
        return;
      }
      this.cutAfter += 1;
      end();
    });
  }
}
