import { readBody } from '@indelible/core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describePostgres } from '../../../postgres/test/test-postgres.js';
import { readPostgresStatement } from '../../src/postgres/postgres-statement.js';
import { createPostgresBench, type PostgresBench } from './postgres-bench.js';
import { summary } from './summary.js';

const ROWS = `CREATE TABLE a(id int PRIMARY KEY, n text, tags text[]);
  INSERT INTO a VALUES (1,'x',NULL),(2,'y',NULL);`;

/** Each of these once lost a change, changed what the caller got, or told a secret. */
describePostgres('a hostile write', (server) => {
  let bench: PostgresBench;
  beforeAll(async () => {
    bench = await createPostgresBench(server);
  });
  afterAll(() => bench.close());

  async function told(schema: string, ...statements: readonly string[]): Promise<readonly string[]> {
    await bench.reset(schema);
    for (const sql of statements) await bench.same(sql);
    return (await bench.events()).map(summary);
  }

  test('in a WITH of a WITH is marked', async () => {
    expect(
      await told(
        ROWS,
        'WITH x AS (WITH y AS (SELECT 1) DELETE FROM a WHERE id = 1 RETURNING *) SELECT id FROM x',
        'WITH x AS (WITH y AS (SELECT 1) DELETE FROM a RETURNING id) INSERT INTO a SELECT id + 1 FROM x',
      ),
    ).toEqual(['opaque : a write inside of WITH', 'opaque : a write inside of WITH']);
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
    await bench.reset(`${ROWS} CREATE VIEW v AS SELECT id, n, tags FROM a;`);
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
});

// Servers allow none of these unless they are set up for it.
test('a transaction that is prepared for two phases gets its events before it is out of hand', () => {
  expect(readPostgresStatement("PREPARE TRANSACTION 'x'").kind).toBe('commit');
  expect(readPostgresStatement('PREPARE p AS UPDATE a SET n = 1').kind).toBe('other');
});
