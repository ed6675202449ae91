import { afterAll, beforeAll, expect, test } from 'vitest';
import { describePostgres } from '../../../postgres/test/test-postgres.js';
import { createPostgresBench, type PostgresBench } from './postgres-bench.js';
import { summary } from './summary.js';

describePostgres('a cascade', (server) => {
  let bench: PostgresBench;
  beforeAll(async () => {
    bench = await createPostgresBench(server);
  });
  afterAll(() => bench.close());

  /** Each gives the caller what it gives without auditing, and is told exactly. */
  async function exact(schema: string, ...statements: readonly string[]): Promise<readonly string[]> {
    await bench.reset(schema);
    const told: string[] = [];
    for (const sql of statements) told.push(...(await bench.tells(() => bench.same(sql))).map(summary));
    return told;
  }

  const STAFF = (actions: string): string => `
    CREATE TABLE staff(id int PRIMARY KEY, boss int REFERENCES staff(id) ${actions}, name text);
    INSERT INTO staff VALUES (1,NULL,'a'),(2,1,'b'),(3,2,'c'),(4,NULL,'d'),(5,5,'e');`;

  test('through a table that points at itself is told once for each row', async () => {
    const told = await exact(
      STAFF('ON DELETE CASCADE ON UPDATE CASCADE'),
      'UPDATE staff SET id = id + 10 WHERE id IN (1, 2, 5)',
      'UPDATE staff SET id = 50 WHERE id = 15',
      'DELETE FROM staff WHERE id IN (11, 12)',
      'DELETE FROM staff WHERE id = 50',
    );
    expect(told.map((one) => one.split(' ')[0])).toEqual([
      ...['update', 'update', 'update', 'update'],
      'update',
      ...['delete', 'delete', 'delete'],
      'delete',
    ]);
  });

  test('that sets NULL or a default is told for the rows that stay', async () => {
    await exact(
      STAFF('ON DELETE SET NULL ON UPDATE SET NULL'),
      'UPDATE staff SET id = 20 WHERE id = 2',
      'DELETE FROM staff WHERE id IN (1, 20)',
      'UPDATE staff SET id = 6 WHERE id = 5',
      'DELETE FROM staff',
    );
    const told = await exact(
      `CREATE TABLE room(id int PRIMARY KEY); INSERT INTO room VALUES (0),(1),(2);
       CREATE TABLE bed(id int PRIMARY KEY, room int DEFAULT 0 REFERENCES room ON DELETE SET DEFAULT ON UPDATE SET DEFAULT);
       INSERT INTO bed VALUES (1,1),(2,2),(3,1);`,
      'DELETE FROM room WHERE id = 1',
      'UPDATE room SET id = 9 WHERE id = 2',
      'DELETE FROM room WHERE id = 0',
    );
    expect(told).toEqual(['delete 1', 'update 1 room', 'update 3 room', 'update 2 to 9 id', 'update 2 room']);
  });

  test('over composite keys, some columns of which are set NULL, goes on to what points there', async () => {
    await exact(
      `CREATE TABLE p(t int, id int, n text, PRIMARY KEY (t, id)); INSERT INTO p VALUES (1,1,'a'),(1,2,'b'),(2,1,'c');
       CREATE TABLE c(t int, id int, p int, q text, PRIMARY KEY (t, id),
         FOREIGN KEY (t, p) REFERENCES p(t, id) ON DELETE SET NULL (p) ON UPDATE CASCADE);
       INSERT INTO c VALUES (1,1,1,'x'),(1,2,1,'y'),(2,1,1,'z'),(1,3,NULL,'n');
       CREATE TABLE d(t int, c int, k int PRIMARY KEY, FOREIGN KEY (t,c) REFERENCES c(t,id) ON UPDATE CASCADE ON DELETE CASCADE);
       INSERT INTO d VALUES (1,1,1),(1,3,2),(2,1,3);`,
      'DELETE FROM p WHERE id = 1 AND t = 1',
      'UPDATE p SET id = 7 WHERE t = 2',
      'UPDATE p SET t = 5 WHERE t = 2',
      'DELETE FROM c',
      'DELETE FROM p',
    );
  });

  test('that reaches a row on two ways tells it once', async () => {
    await exact(
      `CREATE TABLE a(id int PRIMARY KEY);
       CREATE TABLE b(id int PRIMARY KEY, a int REFERENCES a ON DELETE CASCADE ON UPDATE CASCADE);
       CREATE TABLE c(id int PRIMARY KEY, a int REFERENCES a ON DELETE CASCADE ON UPDATE CASCADE);
       CREATE TABLE d(id int PRIMARY KEY, b int REFERENCES b ON DELETE CASCADE, c int REFERENCES c ON DELETE SET NULL,
         a int REFERENCES a ON UPDATE CASCADE ON DELETE SET NULL);
       INSERT INTO a VALUES (1),(2); INSERT INTO b VALUES (1,1),(2,2); INSERT INTO c VALUES (1,1),(2,2);
       INSERT INTO d VALUES (1,1,1,1),(2,2,1,1),(3,2,2,2),(4,NULL,1,NULL);`,
      'UPDATE a SET id = 10 WHERE id = 1',
      'DELETE FROM a WHERE id = 10',
      'UPDATE a SET id = id + 1',
      'DELETE FROM a',
    );
  });

  test('that changes the key of the rows that it reaches finds them again', async () => {
    await exact(
      `CREATE TABLE a(id int PRIMARY KEY, n int);
       CREATE TABLE b(id int PRIMARY KEY REFERENCES a ON UPDATE CASCADE ON DELETE CASCADE, n int);
       CREATE TABLE c(id int PRIMARY KEY REFERENCES b ON UPDATE CASCADE ON DELETE CASCADE, n int);
       INSERT INTO a VALUES (1,1),(2,2),(3,3); INSERT INTO b VALUES (1,1),(2,2); INSERT INTO c VALUES (1,1),(2,2);`,
      'UPDATE a SET id = id + 10',
      'UPDATE a SET id = id + 10, n = 5 WHERE id = 11',
      'UPDATE a SET n = 6',
      'DELETE FROM a WHERE id > 12',
    );
  });

  test('between partitions of both tables is told by the names of the partitioned ones', async () => {
    await exact(
      `CREATE TABLE p(id int, r text, PRIMARY KEY (id, r)) PARTITION BY LIST (r);
       CREATE TABLE p1 PARTITION OF p FOR VALUES IN ('a'); CREATE TABLE p2(r text NOT NULL, id int NOT NULL);
       ALTER TABLE p ATTACH PARTITION p2 FOR VALUES IN ('b');
       CREATE TABLE c(id int, r text, k int, x int, PRIMARY KEY (k, x),
         FOREIGN KEY (id, r) REFERENCES p ON DELETE CASCADE ON UPDATE CASCADE) PARTITION BY HASH (k);
       CREATE TABLE c1 PARTITION OF c FOR VALUES WITH (MODULUS 2, REMAINDER 0);
       CREATE TABLE c2 PARTITION OF c FOR VALUES WITH (MODULUS 2, REMAINDER 1);
       INSERT INTO p VALUES (1,'a'),(2,'b'),(3,'a'); INSERT INTO c SELECT id, r, id * 10, n FROM p, generate_series(1,3) n;`,
      'UPDATE p SET id = id + 50 WHERE id = 2',
      "DELETE FROM p WHERE r = 'b'",
      'DELETE FROM p1 WHERE id = 1',
      "UPDATE p SET r = 'b' WHERE id = 3",
    );
  });

  test('from a key that its column can not hold, or a column that is computed, is followed', async () => {
    await exact(
      `CREATE TABLE a(id bigint PRIMARY KEY, n int); INSERT INTO a VALUES (1,1),(5000000000,2);
       CREATE TABLE b(id int PRIMARY KEY, a int REFERENCES a ON UPDATE CASCADE ON DELETE CASCADE); INSERT INTO b VALUES (1,1);`,
      'DELETE FROM a WHERE id > 2',
      'UPDATE a SET id = 2',
      'DELETE FROM a',
    );
    await exact(
      `CREATE TABLE a(id int PRIMARY KEY, n int, g int GENERATED ALWAYS AS (n * 2) STORED UNIQUE); INSERT INTO a VALUES (1,1);
       CREATE TABLE b(id int PRIMARY KEY, a int REFERENCES a(g) ON UPDATE CASCADE ON DELETE CASCADE); INSERT INTO b VALUES (1,2);`,
      'UPDATE a SET n = 5',
      'DELETE FROM a',
    );
  });

  const FAMILY = `CREATE TABLE a(id int PRIMARY KEY, u int UNIQUE, n int); INSERT INTO a VALUES (1,1,1);
    CREATE TABLE b(id int PRIMARY KEY, a int REFERENCES a ON UPDATE CASCADE ON DELETE CASCADE, n int); INSERT INTO b VALUES (1,1,1);`;

  test('from a key that a trigger changes, or an upsert, is marked', async () => {
    await bench.reset(`${FAMILY} CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.id := NEW.n; RETURN NEW; END';
      CREATE TRIGGER f BEFORE UPDATE ON a FOR EACH ROW EXECUTE FUNCTION f();`);
    await bench.same('UPDATE a SET n = 5');
    expect((await bench.events()).map(summary)).toEqual([
      'update 1 to 5 id,n',
      'opaque a: the foreign keys that point at rows of "a" of which a trigger has changed the key',
    ]);
    await bench.reset(FAMILY);
    await bench.same('INSERT INTO a VALUES (5, 1) ON CONFLICT (u) DO UPDATE SET id = EXCLUDED.id');
    expect((await bench.events()).map(summary)).toContain('opaque a: the foreign keys that point at "a"');
  });

  test('into a table that another session has just made, or renamed, is told or marked', async () => {
    await bench.reset(
      'CREATE TABLE a(id int PRIMARY KEY, n int); INSERT INTO a SELECT n, n FROM generate_series(1,9) n;',
    );
    await bench.run('DELETE FROM a WHERE id = 9');
    await bench.outside.query(
      'CREATE TABLE b(id int PRIMARY KEY, a int REFERENCES a ON DELETE CASCADE); INSERT INTO b SELECT n, n FROM generate_series(1,8) n;',
    );
    await bench.tells(() => bench.run('DELETE FROM a WHERE id = 8'));
    await bench.tells(() => bench.run('DELETE FROM a WHERE id = 7'));
    await bench.outside.query('ALTER TABLE b RENAME COLUMN a TO aa; ALTER TABLE b ADD n int DEFAULT 3');
    await bench.tells(() => bench.run('DELETE FROM a WHERE id = 6'));
    await bench.outside.query('ALTER TABLE b RENAME TO bb');
    await bench.tells(() => bench.run('DELETE FROM a WHERE id = 5'));
    await bench.outside.query('DROP TABLE bb');
    await bench.tells(() => bench.run('DELETE FROM a WHERE id = 4'));
  });

  test('that another session has just made shows behind a statement, and a transaction of the caller is not begun anew', async () => {
    await bench.reset(
      'CREATE TABLE a(id int PRIMARY KEY, n int); INSERT INTO a SELECT n, n FROM generate_series(1,9) n;',
    );
    await bench.run('DELETE FROM a WHERE id = 9');
    await bench.outside.query(
      'CREATE TABLE b(id int PRIMARY KEY, a int REFERENCES a ON DELETE CASCADE); INSERT INTO b SELECT n, n FROM generate_series(1,8) n;',
    );
    await bench.events();
    await bench.run('BEGIN');
    await bench.run('DELETE FROM a WHERE id = 8');
    await bench.run('COMMIT');
    expect((await bench.events()).map(summary)).toContain(
      'opaque a: the foreign keys that point at rows of "a" which are new',
    );
    await bench.tells(() => bench.run('DELETE FROM a WHERE id = 7'));
  });
});
