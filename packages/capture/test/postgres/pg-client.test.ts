import { EventEmitter } from 'node:events';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describePostgres } from '../../../postgres/test/test-postgres.js';
import { createCaptureEngine } from '../../src/capture-engine.js';
import type { CaptureOptions } from '../../src/capture-options.js';
import { steerPgClient } from '../../src/drivers/pg-client.js';
import { createPostgresDialect } from '../../src/postgres/postgres-dialect.js';
import { createPostgresBench, type PostgresBench } from './postgres-bench.js';
import { summary } from './summary.js';

const TABLE = 'CREATE TABLE t(id bigint PRIMARY KEY, v text); INSERT INTO t VALUES (1,1),(2,2);';

interface CopyConnection {
  query(text: string): void;
  sendCopyFromChunk(chunk: Buffer): void;
  endCopyFrom(): void;
}

/** A COPY … FROM STDIN as the packages for it make one: it writes and reads its messages itself. */
class Copy extends EventEmitter {
  constructor(
    readonly text: string,
    private readonly data: string,
  ) {
    super();
  }

  submit(connection: CopyConnection): void {
    connection.query(this.text);
  }

  handleCopyInResponse(connection: CopyConnection): void {
    connection.sendCopyFromChunk(Buffer.from(this.data));
    connection.endCopyFrom();
  }

  handleCommandComplete(): void {}

  handleReadyForQuery(): void {
    this.emit('end');
  }

  handleError(error: unknown): void {
    this.emit('error', error);
  }
}

describePostgres('a steered client of node-postgres', (server) => {
  let bench: PostgresBench;
  beforeAll(async () => {
    bench = await createPostgresBench(server);
  });
  afterAll(() => bench.close());

  async function withClient(
    work: (client: pg.Client) => Promise<void>,
    options: CaptureOptions = {},
  ): Promise<void> {
    await bench.reset(TABLE);
    const client = new pg.Client({ connectionString: bench.url });
    await client.connect();
    const engine = createCaptureEngine({
      ...options,
      audit: () => bench.audit,
      dialect: createPostgresDialect(),
      nameModel: () => undefined,
      where: 'test',
    });
    // The second time changes nothing.
    for (let turn = 0; turn < 2; turn += 1) steerPgClient(client, engine);
    try {
      await work(client);
    } finally {
      await client.end();
    }
  }

  const copy = (client: pg.Client, data: string): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const sent = new Copy('COPY t FROM STDIN', data);
      sent.on('end', resolve).on('error', reject);
      client.query(sent as unknown as pg.Submittable);
    });

  const values = async (): Promise<unknown> =>
    (await bench.outside.query<{ v: string }>('SELECT v FROM t ORDER BY id')).rows.map(({ v }) => v);

  test('tells the end of a COPY once it is committed together with its mark', () =>
    withClient(async (client) => {
      await copy(client, '3\tcopied\n');
      expect(await values()).toEqual(['1', '2', 'copied']);
      expect((await bench.events()).map(({ change }) => change?.fidelity)).toEqual(['opaque']);
    }));

  test('leaves no mark of a COPY that failed', () =>
    withClient(async (client) => {
      await expect(copy(client, '1\tagain\n')).rejects.toMatchObject({ code: '23505' });
      await client.query('SELECT 1');
      expect(await bench.events()).toEqual([]);
    }));

  test('tells the error of a COPY whose mark can not be stored, and undoes it', () =>
    withClient(async (client) => {
      await bench.outside.query(
        `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''no room''; END';
         CREATE TRIGGER refuse BEFORE INSERT ON audit.audit_event FOR EACH ROW EXECUTE FUNCTION refuse()`,
      );
      try {
        await expect(copy(client, '3\tcopied\n')).rejects.toMatchObject({ code: 'AUDIT_CAPTURE_FAILED' });
      } finally {
        await bench.outside.query('DROP TRIGGER refuse ON audit.audit_event; DROP FUNCTION refuse()');
      }
      expect(await values()).toEqual(['1', '2']);
    }));

  test('refuses a COPY under strict before it is sent, and goes on', () =>
    withClient(
      async (client) => {
        await expect(copy(client, '3\tcopied\n')).rejects.toMatchObject({ code: 'AUDIT_NOT_EXACT' });
        await client.query(`UPDATE t SET v = 'x' WHERE id = 1`);
        expect(await values()).toEqual(['x', '2']);
        expect((await bench.events()).map(summary)).toEqual(['update 1 v']);
      },
      { strict: true },
    ));

  test('has a COPY be part of the transaction that is open', () =>
    withClient(async (client) => {
      await client.query('BEGIN');
      await copy(client, '3\tcopied\n');
      await client.query('ROLLBACK');
      expect(await values()).toEqual(['1', '2']);
      expect(await bench.events()).toEqual([]);
    }));

  test('reads values as the client is set to, whatever shares a round trip', () =>
    withClient(async (client) => {
      client.setTypeParser(20, (text: string) => `<${text}>`);
      const insert = 'INSERT INTO t VALUES ($1, $2) RETURNING id';
      expect((await client.query(insert, [3, 'x'])).rows).toEqual([{ id: '<3>' }]);
      const seldom = `WITH w AS (${insert}) SELECT id FROM w`;
      expect((await client.query(seldom, [4, 'x'])).rows).toEqual([{ id: '<4>' }]);
    }));

  test('runs a text of several statements in one transaction, and tells each of them', () =>
    withClient(async (client) => {
      await client.query("INSERT INTO t VALUES (3, 'a'); INSERT INTO t VALUES (4, 'b')");
      expect(await values()).toEqual(['1', '2', 'a', 'b']);
      const events = await bench.events();
      expect(events.map(({ resource, change }) => [resource?.id, change?.fidelity])).toEqual([
        ['3', 'exact'],
        ['4', 'exact'],
      ]);
    }));

  test('goes on after a COMMIT and a ROLLBACK in any spelling', () =>
    withClient(async (client) => {
      for (const [at, end] of [' commit ;', 'Rollback;', 'END', 'COMMIT;'].entries()) {
        await client.query('START TRANSACTION');
        await client.query('INSERT INTO t VALUES ($1, $2)', [10 + at, end]);
        const { command } = await client.query(end);
        expect(command).toBe(end === 'Rollback;' ? 'ROLLBACK' : 'COMMIT');
      }
      expect(await values()).toEqual(['1', '2', ' commit ;', 'END', 'COMMIT;']);
      expect((await bench.events()).map(({ resource }) => resource?.id)).toEqual(['10', '12', '13']);
    }));
});
