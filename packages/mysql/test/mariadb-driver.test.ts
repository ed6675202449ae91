import { type AddressInfo, createServer, connect as dial, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startChild } from '../../postgres/test/run-child.js';
import { createMysqlStore } from '../src/mysql-store.js';
import { withRaw } from './raw-connection.js';
import { describeMysql, type TestDatabase } from './test-mysql.js';

const APPLICATION = new URL('./child/given-pool.mjs', import.meta.url);
/** A process begins slowly where many do. */
const PATIENCE = { timeout: 20_000 };
/** latin1_swedish_ci, the default of a server that is configured to nothing. */
const LATIN1 = 8;

/** A way to the server that cuts each connection that says a word, and on which the server seems to speak latin1. */
class WordProxy {
  cuts = 0;
  readonly #sockets = new Set<Socket>();
  readonly #clients = new Set<Socket>();
  readonly #server = createServer((client) => this.#join(client));

  constructor(
    private readonly target: URL,
    private readonly word: string,
  ) {}

  async open(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const url = new URL(this.target);
    url.hostname = '127.0.0.1';
    url.port = String((this.#server.address() as AddressInfo).port);
    return url.href;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Tells each client why it is closed, as a server does that is shut down or has waited too long, and closes it. */
  closeWithReason(): void {
    const reason = Buffer.from('\xff\x87\x07#70100Connection was killed', 'latin1');
    for (const client of this.#clients) client.end(Buffer.from([reason.length, 0, 0, 0, ...reason]));
  }

  #join(client: Socket): void {
    const server = dial(Number(this.target.port || 3306), this.target.hostname);
    const both = [client, server];
    this.#clients.add(client);
    const end = () => {
      for (const socket of both) socket.destroy();
    };
    for (const socket of both) {
      this.#sockets.add(socket);
      socket.on('error', end).on('close', end);
    }
    client.on('data', (chunk) => {
      if (!chunk.includes(this.word)) {
        server.write(chunk);
        return;
      }
      this.cuts += 1;
      end();
    });
    let isGreeting = true;
    server.on('data', (chunk) => {
      if (isGreeting) {
        // Behind the version's end: the thread, eight bytes of the seed, a zero, half of the capabilities.
        chunk[chunk.indexOf(0, 5) + 16] = LATIN1;
        isGreeting = false;
      }
      client.write(chunk);
    });
  }
}

describeMysql('an application with a pool of the mariadb driver', (server) => {
  let database: TestDatabase;
  let proxy: WordProxy | undefined;
  beforeEach(async () => {
    database = await server.createDatabase();
  });
  afterEach(async () => {
    await proxy?.close();
    proxy = undefined;
    await database.drop();
  });

  const behind = async (word: string): Promise<string> => {
    proxy = new WordProxy(new URL(database.url), word);
    return proxy.open();
  };
  const start = (settings: Readonly<Record<string, unknown>>) =>
    startChild(APPLICATION, [JSON.stringify(settings)]);

  /** Runs an application whose idle connection is closed. */
  async function withIdleClosed(settings: Readonly<Record<string, unknown>>): Promise<readonly string[]> {
    const child = start({ ...settings, url: await behind('nothing that anybody says'), work: 'idle' });
    const closed = expect
      .poll(() => child.lines[0], PATIENCE)
      .toMatch(/^\d+$/)
      .then(() => proxy?.closeWithReason());
    await Promise.all([child.done, closed]);
    return child.lines.slice(1);
  }

  // What this driver does by itself: the READMEs tell how to prevent it. The test tells when they need not any more.
  test('is ended by it where a new connection is cut while its character set is set, unless a collation saves that question', async () => {
    const url = await behind('SET NAMES');
    await expect(start({ url, work: 'connect', listens: true }).done).rejects.toThrow(
      /ER_SOCKET_UNEXPECTED_CLOSE/,
    );
    expect(proxy?.cuts).toBeGreaterThan(0);
    const options = { collation: 'UTF8MB4_UNICODE_CI' };
    const { done, lines } = start({ url, work: 'connect', listens: true, options });
    await done;
    expect(lines).toEqual(['alive']);
  });

  test('is ended by it where the server says why it closes an idle connection, unless somebody listens', async () => {
    await expect(withIdleClosed({})).rejects.toThrow(/ER_SOCKET_UNEXPECTED_CLOSE/);
    await proxy?.close();
    expect(await withIdleClosed({ listens: true })).toEqual(['alive']);
  });

  test('lives on where the server closes an idle connection of a pool that a store was given', async () => {
    expect(await withIdleClosed({ hasStore: true })).toEqual(['alive']);
  });

  test('lives on where a call of the store takes too long, and asking the server to kill it would fail', async () => {
    const url = await behind('KILL ');
    const store = createMysqlStore({ url: database.url, roles: false });
    await store.migrate();
    await store.close();
    await withRaw(database.url, async (raw) => {
      const child = start({ url, work: 'hang', listens: true, hasStore: true });
      await expect.poll(() => child.lines[0], PATIENCE).toBe('ready');
      await raw.all('LOCK TABLES audit_event WRITE, audit_migration READ');
      await child.done;
      expect(child.lines).toEqual(['ready', 'AUDIT_STORE_TIMEOUT', 'alive']);
      await raw.all('UNLOCK TABLES');
    });
  });
});
