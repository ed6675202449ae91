import { type AddressInfo, createServer, connect as dial, type Socket } from 'node:net';

const READY_FOR_QUERY = 0x5a;

/** Tells how many answers end in what the server sends. */
export interface AnswerCounting {
  /** The client has said something. */
  asked?(): void;
  count(chunk: Buffer): number;
}

/** A way to the server that loses answers: the server has done what it was asked, and nobody is told. */
export class CuttingProxy {
  /** Cuts the connection in the place of the n-th answer from now on. */
  cutAt = Number.POSITIVE_INFINITY;
  cuts = 0;
  readonly #target: URL;
  readonly #createCounter: () => AnswerCounting;
  readonly #server = createServer((client) => this.#join(client));
  readonly #sockets = new Set<Socket>();

  constructor(target: string, createCounter: () => AnswerCounting = () => new AnswerCounter()) {
    this.#target = new URL(target);
    this.#createCounter = createCounter;
  }

  /** The URL of the database by way of this. */
  async open(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const url = new URL(this.#target);
    url.port = String((this.#server.address() as AddressInfo).port);
    return url.href;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #join(client: Socket): void {
    const server = dial(Number(this.#target.port || 5432), this.#target.hostname);
    const both = [client, server];
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
    const answers = this.#createCounter();
    client.on('data', (chunk) => {
      answers.asked?.();
      server.write(chunk);
    });
    server.on('data', (chunk) => {
      this.cutAt -= answers.count(chunk);
      if (this.cutAt > 0) {
        client.write(chunk);
        return;
      }
      this.cutAt = Number.POSITIVE_INFINITY;
      this.cuts += 1;
      end();
    });
  }
}

/** Counts the messages ReadyForQuery in what the server sends. */
class AnswerCounter implements AnswerCounting {
  #rest = Buffer.alloc(0);

  count(chunk: Buffer): number {
    let data = Buffer.concat([this.#rest, chunk]);
    let found = 0;
    while (data.length >= 5) {
      const length = 1 + data.readUInt32BE(1);
      if (data.length < length) break;
      if (data[0] === READY_FOR_QUERY) found += 1;
      data = data.subarray(length);
    }
    this.#rest = data;
    return found;
  }
}
