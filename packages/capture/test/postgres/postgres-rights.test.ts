import { afterAll, beforeAll, expect, test } from 'vitest';
import { describePostgres } from '../../../postgres/test/test-postgres.js';
import { createPostgresBench, type PostgresBench } from './postgres-bench.js';
import { summary } from './summary.js';

const TABLE =
  "CREATE TABLE t(id int PRIMARY KEY, v int, u text); INSERT INTO t VALUES (1,1,'a'),(2,2,'b'),(3,3,'a');";

/** A role that may write events and nothing else, and what it is granted beyond. */
function asRole(role: string, grants: string): string {
  return `DO $$ BEGIN
      IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '${role}') THEN CREATE ROLE ${role}; END IF;
      IF EXISTS (SELECT FROM pg_namespace WHERE nspname = 'audit') THEN
        GRANT USAGE ON SCHEMA audit TO ${role};
        GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA audit TO ${role};
        GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA audit TO ${role};
      END IF;
    END $$; ${grants}`;
}

describePostgres('a role that may not do all', (server) => {
  const role = `indelible_capture_${process.pid}`;
  let bench: PostgresBench;
  beforeAll(async () => {
    bench = await createPostgresBench(server);
  });
  afterAll(async () => {
    await bench.reset('');
    for (const client of [bench.caller.client, bench.plain.client]) {
      await client.query(`RESET ROLE; DROP OWNED BY ${role}`);
    }
    await bench.close();
    const [admin] = [
      await import('pg').then(({ default: pg }) => new pg.Client({ connectionString: server.url })),
    ];
    await admin.connect();
    await admin.query(`DROP ROLE IF EXISTS ${role}`);
    await admin.end();
  });

  async function told(schema: string, ...statements: readonly string[]): Promise<readonly string[]> {
    await bench.reset(schema);
    await bench.same(`SET ROLE ${role}`);
    for (const sql of statements) await bench.same(sql);
    await bench.same('RESET ROLE');
    return (await bench.events()).map(summary);
  }

  test('writes a table that it may not read as before, and that is marked', async () => {
    const mark = 'opaque t: "t", which the role may not read';
    expect(
      await told(
        `${TABLE} ${asRole(role, `GRANT UPDATE, INSERT, DELETE ON t TO ${role};`)}`,
        'UPDATE t SET v = 5',
        'INSERT INTO t VALUES (9)',
        'BEGIN',
        'DELETE FROM t',
        'COMMIT',
      ),
    ).toEqual([mark, mark, mark]);
  });

  test('writes columns that it may read, and those that it may not are named', async () => {
    const events = await told(
      `${TABLE} ${asRole(role, `GRANT UPDATE (v), INSERT (id, v), SELECT (id, v) ON t TO ${role};`)}`,
      'UPDATE t SET v = 5 WHERE id = 1',
      'INSERT INTO t(id, v) VALUES (1, 9), (20, 1) ON CONFLICT (id) DO UPDATE SET v = EXCLUDED.v',
      "UPDATE t SET u = 'no'",
    );
    const mark = 'opaque t: "t", of which the role may not read u';
    expect([...events].sort()).toEqual(['create 20', mark, mark, 'update 1 v', 'update 1 v']);
  });

  test('takes rows away whose cascades it may not see, and that is marked', async () => {
    const events = await told(
      `${TABLE} CREATE TABLE c(id int PRIMARY KEY, t int REFERENCES t ON DELETE CASCADE); INSERT INTO c VALUES (1,1),(2,2);
       ${asRole(role, `GRANT SELECT, DELETE, UPDATE (v) ON t TO ${role};`)}`,
      'DELETE FROM t WHERE id = 1',
    );
    expect(events).toEqual([
      'delete 1',
      'opaque c: "c", which a foreign key reaches and of which the role may not see all',
    ]);
    expect(
      await told(
        `${TABLE} CREATE TABLE c(id int PRIMARY KEY, t int REFERENCES t ON DELETE CASCADE); INSERT INTO c VALUES (1,1);
         ${asRole(role, `GRANT SELECT, DELETE ON t TO ${role};`)}`,
        'DELETE FROM t WHERE id = 1',
      ),
    ).toEqual(['delete 1', 'opaque t: the foreign keys that point at "t"']);
  });

  test('writes rows that policies hide from it as before', async () => {
    const events = await told(
      `${TABLE} ALTER TABLE t ENABLE ROW LEVEL SECURITY; ${asRole(role, `GRANT ALL ON t TO ${role};`)}
       CREATE POLICY s ON t FOR SELECT USING (u = 'a'); CREATE POLICY i ON t FOR INSERT WITH CHECK (true);
       CREATE POLICY c ON t FOR UPDATE USING (true) WITH CHECK (true); CREATE POLICY d ON t FOR DELETE USING (true);`,
      "INSERT INTO t VALUES (5,5,'b')",
      "INSERT INTO t VALUES (6,5,'b') RETURNING *",
      'UPDATE t SET v = 8 WHERE id = 1',
      'UPDATE t SET v = 8 WHERE id = 2',
      "UPDATE t SET u = 'b' WHERE id = 3",
      'UPDATE t SET v = 7',
      'UPDATE t SET v = 6 WHERE true',
      'DELETE FROM t WHERE id = 2',
      'DELETE FROM t',
    );
    const mark = 'opaque t: row-level security on "t"';
    expect(events).toEqual([mark, 'update 1 v', mark, mark, mark]);
  });
});
