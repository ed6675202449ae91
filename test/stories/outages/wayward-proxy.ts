import { type AddressInfo, createServer, connect as dial, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/**
 * How the way to the server is: open, cut (connections are refused and open ones reset), hanging (bytes go nowhere and
 * nobody is told, for good on the connections of that time), or slow by so many milliseconds each way.
 */
export type Way = 'open' | 'cut' | 'hanging' | { readonly delayMs: number };

/** A TCP proxy in front of a database server. */
export class WaywardProxy {
  #way: Way = 'open';
  readonly #target: URL;
  readonly #server = createServer((client) => this.#join(client));
  readonly #sockets = new Set<Socket>();

  constructor(target: string) {
    this.#target = new URL(target);
  }

  /** The URL of the database by way of this. */
  async open(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const url = new URL(this.#target);
    url.port = String((this.#server.address() as AddressInfo).port);
    return url.href;
  }

  set way(way: Way) {
    this.#way = way;
    if (way === 'cut') for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #join(client: Socket): void {
    this.#keep(client);
    if (this.#way === 'cut') {
      client.resetAndDestroy();
      return;
    }
    const server = dial(Number(this.#target.port || 5432), this.#target.hostname);
    this.#keep(server);
    // A connection that hung once is dead: as behind a firewall that has forgotten it.
    let dead = this.#way === 'hanging';
    const forward = (from: Socket, to: Socket) => {
      let turn: Promise<void> = Promise.resolve();
      from.on('data', (chunk) => {
        dead ||= this.#way === 'hanging';
        if (dead) return;
        const way = this.#way;
        turn = turn.then(async () => {
          if (typeof way === 'object') await pause(way.delayMs);
          dead ||= this.#way === 'hanging';
          if (!dead) to.write(chunk);
        });
      });
      from.on('close', () => {
        if (!dead) to.destroy();
      });
    };
    forward(client, server);
    forward(server, client);
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => {}).on('close', () => this.#sockets.delete(socket));
  }
}
