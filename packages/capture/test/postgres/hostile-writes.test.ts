import { readBody } from '@indelible/core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describePostgres } from '../../../postgres/test/test-postgres.js';
import { readPostgresStatement } from '../../src/postgres/postgres-statement.js';
import { createPostgresBench, type PostgresBench } from './postgres-bench.js';
import { summary } from './summary.js';

const ROWS = `CREATE TABLE a(id int PRIMARY KEY, n text, tags text[]);
  INSERT INTO a VALUES (1,'x',NULL),(2,'y',NULL);`;

// Events are written by whoever writes.
const AS_WRITER =
  'GRANT USAGE ON SCHEMA audit TO public; GRANT INSERT ON ALL TABLES IN SCHEMA audit TO public';
const ROLE = `DO $$ BEGIN CREATE ROLE hostile_app; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
  GRANT USAGE ON SCHEMA public TO hostile_app;`;
const POLICIES = `${ROLE} GRANT ALL ON a TO hostile_app; ALTER TABLE a ENABLE ROW LEVEL SECURITY;
  CREATE POLICY sees ON a FOR SELECT USING (id = 1); CREATE POLICY changes ON a FOR UPDATE USING (true);
  CREATE POLICY takes ON a FOR DELETE USING (true); CREATE POLICY adds ON a FOR INSERT WITH CHECK (true);`;
const COLUMNS = `${ROLE} GRANT SELECT (id, n), INSERT, UPDATE, TRUNCATE ON a TO hostile_app;`;

/** Each of these once lost a change, changed what the caller got, or told a secret. */
describePostgres('a hostile write', (server) => {
  let bench: PostgresBench;
  beforeAll(async () => {
    bench = await createPostgresBench(server);
    await bench.outside.query(AS_WRITER);
  });
  afterAll(() => bench.close());

  async function told(schema: string, ...statements: readonly string[]): Promise<readonly string[]> {
    await bench.reset(schema);
    for (const sql of statements) await bench.same(sql);
    return (await bench.events()).map(summary);
  }

  test('in a WITH of a WITH is told', async () => {
    expect(
      await told(
        ROWS,
        'WITH x AS (WITH y AS (SELECT 1) DELETE FROM a WHERE id = 1 RETURNING *) SELECT id FROM x',
        'WITH x AS (WITH y AS (SELECT 1) DELETE FROM a RETURNING id) INSERT INTO a SELECT id + 1 FROM x',
      ),
    ).toEqual(['delete 1', 'delete 2', 'create 3']);
  });

  test('whose rows are copied out is marked', async () => {
    expect(await told(ROWS, "COPY (UPDATE a SET n = 'z' RETURNING *) TO PROGRAM 'cat >/dev/null'")).toEqual([
      'opaque : a write by COPY',
    ]);
  });

  test('whose rows become a table is marked', async () => {
    expect(
      await told(
        ROWS,
        'CREATE TABLE b AS WITH x AS (DELETE FROM a WHERE id = 1 RETURNING *) SELECT * FROM x',
        "PREPARE p AS UPDATE a SET n = 'p' RETURNING *",
        'CREATE TABLE c AS SELECT * FROM a',
      ),
    ).toEqual(['opaque : a write by CREATE']);
  });

  test('that was prepared and is explained is marked', async () => {
    await bench.reset(ROWS);
    await bench.run("PREPARE q AS UPDATE a SET n = 'p'");
    await bench.run('EXPLAIN ANALYZE EXECUTE q');
    expect((await bench.events()).map(summary)).toEqual(['opaque : a write by EXPLAIN']);
  });

  test('on a table whose name is spelled in escapes is told', async () => {
    expect(
      await told(
        `CREATE TABLE "Ünï"(id int PRIMARY KEY, n text); INSERT INTO "Ünï" VALUES (1,'x');`,
        `UPDATE U&"\\00DCn\\+0000EF" SET n = 'y'`,
      ),
    ).toEqual(['update 1 n']);
  });

  test('shows no value in the text of its statement', async () => {
    await bench.reset(`${ROWS} CREATE VIEW v AS SELECT id + 0 AS id, n, tags FROM a;`);
    const texts = [
      "UPDATE v SET tags = ARRAY['hunter','hunter'] WHERE id = 1",
      "UPDATE v SET n = E'abc\\'hunter'",
      "UPDATE v SET n = 'a' || E'\\'hunter' || $x$hunter$x$ || U&'hunter'",
      "/* a /* b */ 'x */ UPDATE v SET n = 'hunter'",
      "UPDATE v SET tags[1] = 'hunter' WHERE tags[1] = 'hunter'",
    ];
    for (const sql of texts) await bench.same(sql);
    const { rows } = await bench.outside.query<{ body: Buffer }>(
      'SELECT body FROM audit.audit_event ORDER BY id DESC LIMIT $1',
      [texts.length],
    );
    const events = rows.map(({ body }) => readBody(body));
    expect(events.map(summary)).toEqual(texts.map(() => 'opaque v: the view "v"'));
    expect(JSON.stringify(events)).not.toContain('hunter');
  });

  test('of a role that may not see all rows takes the rows that it took', async () => {
    const opaque = 'opaque a: row-level security on "a"';
    expect(
      await told(
        `${ROWS} ${POLICIES}`,
        "UPDATE a SET n = 'known to the owner'",
        'BEGIN',
        'SET LOCAL ROLE hostile_app',
        "UPDATE a SET n = 'z' WHERE 1=1",
        "UPDATE a SET n = 'w' WHERE id IS NOT NULL",
        "INSERT INTO a VALUES (7, 'unseen')",
        "UPDATE a SET n = 'v' WHERE EXISTS (SELECT FROM pg_class c WHERE c.relname = 'a')",
        'DELETE FROM a WHERE now() IS NOT NULL',
        'RESET ROLE',
        'COMMIT',
      ),
    ).toEqual(['update 1 n', 'update 2 n', opaque, 'update 1 n', opaque, opaque, opaque]);
  });

  test('that empties a table of which the role sees a part is marked', async () => {
    const reason = 'opaque a: "a", of which the role may not see all';
    expect(
      await told(
        `${ROWS} ${POLICIES}`,
        'BEGIN',
        'SET LOCAL ROLE hostile_app',
        'TRUNCATE a',
        'RESET ROLE',
        'COMMIT',
      ),
    ).toEqual(['delete 1', reason]);
    expect(
      await told(
        `${ROWS} ${COLUMNS}`,
        'BEGIN',
        'SET LOCAL ROLE hostile_app',
        'TRUNCATE a',
        'RESET ROLE',
        'COMMIT',
      ),
    ).toEqual([reason]);
  });

  test('that empties a table behind the snapshot of its transaction is marked', async () => {
    await bench.reset(ROWS);
    await bench.run('BEGIN ISOLATION LEVEL REPEATABLE READ');
    await bench.run('SELECT 1 FROM a');
    await bench.outside.query("INSERT INTO a VALUES (3,'late')");
    await bench.run('TRUNCATE a');
    await bench.run('COMMIT');
    expect((await bench.events()).map(summary)).toEqual([
      'delete 1',
      'delete 2',
      'opaque a: "a", of which the transaction may not see all',
    ]);
  });

  test('of a role with rights on columns alone does not fail', async () => {
    const unread = 'opaque a: "a", of which the role may not read tags';
    expect(
      await told(
        `${ROWS} ${COLUMNS}`,
        "UPDATE a SET n = 'known to the owner'",
        'BEGIN',
        "SELECT set_config('role', 'hostile_app', true)",
        "UPDATE a SET n = 'z' WHERE id = 1",
        "INSERT INTO a(id, n) VALUES (1,'u'),(3,'i') ON CONFLICT (id) DO UPDATE SET n = EXCLUDED.n",
        'COMMIT',
      ),
    ).toEqual(['update 1 n', 'update 2 n', 'update 1 n', unread, 'update 1 n', 'create 3', unread]);
    await told(
      `CREATE TABLE keyless(n text); INSERT INTO keyless VALUES ('x'); ${ROLE}
       GRANT SELECT (n), UPDATE, INSERT ON keyless TO hostile_app;`,
      'BEGIN',
      'SET LOCAL ROLE hostile_app',
      "UPDATE keyless SET n = 'y'",
      "INSERT INTO keyless VALUES ('z')",
      'COMMIT',
    );
  });

  test('goes by the search path that is in force', async () => {
    expect(
      await told(
        `CREATE SCHEMA ta; CREATE TABLE ta.t(id int PRIMARY KEY, v int); INSERT INTO ta.t VALUES (1,1);
         CREATE SCHEMA tb; CREATE TABLE tb.t(code text PRIMARY KEY, v text); INSERT INTO tb.t VALUES ('b','x');
         CREATE TABLE tb.c(id int PRIMARY KEY, t text REFERENCES tb.t ON DELETE CASCADE); INSERT INTO tb.c VALUES (9,'b');`,
        'SET search_path = ta',
        "UPDATE t SET v = '5'",
        'BEGIN',
        'SAVEPOINT s',
        'SET LOCAL search_path = tb',
        "UPDATE t SET v = 'abc'",
        'ROLLBACK TO s',
        "UPDATE t SET v = '6'",
        "SELECT set_config('search_path', 'tb', true)",
        "UPDATE t SET v = 'def'",
        'DELETE FROM t',
        'COMMIT',
        "UPDATE t SET v = '7'",
      ),
    ).toEqual(['update 1 v', 'update 1 v', 'update b v', 'delete b', 'delete 9', 'update 1 v']);
  });

  test('is neither lost nor made up where a string of statements ends its transaction', async () => {
    await bench.reset(ROWS);
    for (const string of [
      'COMMIT; BEGIN',
      'ROLLBACK; BEGIN',
      'ROLLBACK TO s; SELECT 1',
      'RELEASE s; SAVEPOINT s',
    ]) {
      await bench.tells(() =>
        bench.caller.transaction(async (caller) => {
          await caller.run('SAVEPOINT s');
          await caller.run('SELECT 1; SAVEPOINT t');
          await caller.run('UPDATE a SET n = $1 WHERE id = 1', string);
          await expect(caller.run(string)).rejects.toMatchObject({ code: 'AUDIT_TRANSACTION_UNKNOWN' });
        }),
      );
    }
  });

  test('gets the error of the database where its transaction ends while its events are written', async () => {
    await bench.reset(ROWS);
    const holder = await bench.open();
    await holder.client.query('BEGIN; LOCK TABLE audit.audit_event IN ACCESS EXCLUSIVE MODE');
    const write = bench.caller.transaction(async (caller) => {
      await caller.run("SET LOCAL lock_timeout = '50ms'");
      await caller.run("UPDATE a SET n = 'late'");
    });
    await expect(write).rejects.toMatchObject({ code: '55P03' });
    await holder.client.query('ROLLBACK');
    expect(await bench.events()).toEqual([]);
    expect((await bench.outside.query("SELECT FROM a WHERE n = 'late'")).rowCount).toBe(0);
  });

  test('that empties a table which others have changed tells its columns as they are', async () => {
    await bench.reset(ROWS);
    await bench.run("UPDATE a SET n = 'known'");
    await bench.outside.query('ALTER TABLE a RENAME COLUMN n TO m');
    const events = await bench.tells(() => bench.run('TRUNCATE a'));
    expect(events.map(({ change }) => change?.before?.m)).toEqual(['known', 'known']);
    await bench.same('TRUNCATE nowhere');
  });
});

// Servers allow none of these unless they are set up for it.
test('a transaction that is prepared for two phases gets its events before it is out of hand', () => {
  expect(readPostgresStatement("PREPARE TRANSACTION 'x'").kind).toBe('commit');
  expect(readPostgresStatement('PREPARE p AS UPDATE a SET n = 1').kind).toBe('other');
});
