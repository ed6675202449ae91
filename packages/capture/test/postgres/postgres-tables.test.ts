import { afterAll, beforeAll, expect, test } from 'vitest';
import { describePostgres } from '../../../postgres/test/test-postgres.js';
import { createPostgresBench, type PostgresBench } from './postgres-bench.js';
import { summary } from './summary.js';

describePostgres('a table', (server) => {
  let bench: PostgresBench;
  beforeAll(async () => {
    bench = await createPostgresBench(server);
  });
  afterAll(() => bench.close());

  async function exact(schema: string, ...statements: readonly string[]): Promise<readonly string[]> {
    await bench.reset(schema);
    const told: string[] = [];
    for (const sql of statements) told.push(...(await bench.tells(() => bench.same(sql))).map(summary));
    return told;
  }

  test('with partitions is told by its own name, also where rows move or are sent to a partition', async () => {
    await exact(
      `CREATE TABLE p(id int, r int, v text, PRIMARY KEY (id, r)) PARTITION BY RANGE (r);
       CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);
       CREATE TABLE p2(v text, junk int, r int NOT NULL, id int NOT NULL); ALTER TABLE p2 DROP COLUMN junk;
       ALTER TABLE p ATTACH PARTITION p2 FOR VALUES FROM (10) TO (20);
       INSERT INTO p VALUES (1,1,'a'),(2,11,'b'),(3,3,'c');`,
      'UPDATE p SET r = r + 10 WHERE id = 1',
      'UPDATE p SET r = 2, v = upper(v) WHERE r > 9',
      "UPDATE p1 SET v = 'x'",
      'UPDATE p1 SET r = 15 WHERE id = 3',
      "INSERT INTO p VALUES (1,2,'n'),(5,12,'n') ON CONFLICT (id, r) DO UPDATE SET v = p.v || 'up'",
      "INSERT INTO p2 (id, r, v) VALUES (5,12,'n'),(6,13,'q') ON CONFLICT (id, r) DO UPDATE SET v = p2.v || 'up' RETURNING *",
      'DELETE FROM p2 WHERE id = 5',
      'TRUNCATE p1',
      'DELETE FROM p',
    );
  });

  test('that is emptied by TRUNCATE is told row for row, with those that CASCADE takes', async () => {
    const told = await exact(
      `CREATE TABLE t(id int PRIMARY KEY); INSERT INTO t VALUES (1),(2);
       CREATE TABLE c(id int PRIMARY KEY, t int REFERENCES t); INSERT INTO c VALUES (1,1);
       CREATE TABLE o(id int PRIMARY KEY); INSERT INTO o VALUES (5);`,
      'TRUNCATE t',
      'TRUNCATE TABLE t CASCADE',
      'TRUNCATE o, c RESTART IDENTITY',
      'TRUNCATE missing',
    );
    expect(told).toEqual(['delete 1', 'delete 2', 'delete 1', 'delete 5']);
  });

  test('whose triggers edit rows or keep them from being written is told as it came to stand', async () => {
    const told = await exact(
      `CREATE TABLE t(id int PRIMARY KEY, v int, u text); INSERT INTO t VALUES (1,1,'a'),(2,2,'b'),(3,3,'c');
       CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS
         'BEGIN NEW.u := upper(NEW.u); IF NEW.v = 7 THEN RETURN NULL; END IF; RETURN NEW; END';
       CREATE TRIGGER f BEFORE INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f();`,
      'UPDATE t SET v = v + 5',
      "UPDATE t SET u = 'q' WHERE id = 1",
      "INSERT INTO t VALUES (10, 7, 'x'), (11, 8, 'y')",
    );
    expect(told).toEqual(['update 1 u,v', 'update 3 u,v', 'update 1 u', 'create 11']);
  });

  test.each(['', ' PARTITION BY RANGE (id)'])(
    'of which a trigger keeps a row from an upsert does not lend its old row to the next one%s',
    async (partitioning) => {
      await bench.reset(`CREATE TABLE t(id int PRIMARY KEY, v int)${partitioning};
        ${partitioning === '' ? '' : 'CREATE TABLE t1 PARTITION OF t DEFAULT;'} INSERT INTO t VALUES (1,1),(2,2);
        CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF NEW.v = 7 THEN RETURN NULL; END IF; RETURN NEW; END';
        CREATE TRIGGER f BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f();`);
      const upsert = 'ON CONFLICT (id) DO UPDATE SET v = EXCLUDED.v';
      const events = await bench.tells(async () => {
        await bench.same(`INSERT INTO t VALUES (1, 7), (12, 1) ${upsert}`);
        await bench.same('BEGIN');
        await bench.same('UPDATE t SET v = 9 WHERE id = 12');
        await bench.same(`INSERT INTO t VALUES (13, 1), (12, 7), (14, 2) ${upsert}`);
        await bench.same('UPDATE t SET v = 5 WHERE id = 14');
        await bench.same('DELETE FROM t WHERE id = 14');
        await bench.same(`INSERT INTO t VALUES (14, 3) ${upsert}`);
        await bench.same('COMMIT');
      });
      expect(events.map(summary)).toEqual([
        ...['create 12', 'update 12 v', 'create 13', 'create 14'],
        ...['update 14 v', 'delete 14', 'create 14'],
      ]);
    },
  );

  test('of any name is found, and so are its columns', async () => {
    await exact(
      `CREATE SCHEMA "Sch ema";
       CREATE TABLE "Sch ema"."Ta""ble 😀"("Id" int PRIMARY KEY, "select" text, "new" text, "old" int, "Ünï" text);
       INSERT INTO "Sch ema"."Ta""ble 😀" VALUES (1,'a','b',1,'c');
       CREATE TABLE "user"("order" int PRIMARY KEY, "from" text, "returning" text); INSERT INTO "user" VALUES (1,'x','y');
       CREATE TABLE "old"(id int PRIMARY KEY, v int); INSERT INTO old VALUES (1,1);
       CREATE TABLE UPPER(ID int PRIMARY KEY, V int); INSERT INTO upper VALUES (1, 1);`,
      `UPDATE "Sch ema"."Ta""ble 😀" SET "select" = 'z', "new" = "new" || 'n' WHERE "Id" = 1`,
      `UPDATE "Sch ema"."Ta""ble 😀" AS "my ""x" SET "old" = "my ""x"."old" + 1 RETURNING "new", "old"`,
      `INSERT INTO "Sch ema"."Ta""ble 😀" VALUES (1,'q','r',5,'s'),(2,'q','r',5,'s') ON CONFLICT ("Id") DO UPDATE SET "new" = EXCLUDED."new" || 'up', "old" = 7`,
      `DELETE FROM "Sch ema"."Ta""ble 😀"`,
      `UPDATE "user" SET "from" = 'q', "returning" = "from" WHERE "order" = 1 RETURNING "returning"`,
      `INSERT INTO "user" AS "where" ("order", "from") VALUES (1, 'n') ON CONFLICT ("order") DO UPDATE SET "from" = "where"."from" || 'k'`,
      'UPDATE old SET v = old.v + 1',
      'UPDATE old SET v = new.v + 1 FROM old AS new',
      'INSERT INTO old VALUES (1, 5), (2, 6) ON CONFLICT (id) DO UPDATE SET v = old.v + EXCLUDED.v',
      'UPDATE Upper SET V = 3',
      'DELETE FROM old old',
      `UPDATE U&"\\0075ser" SET "from" = 'u'`,
    );
  });

  test('takes in an assignment what it takes without auditing', async () => {
    await bench.reset(`CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TYPE place AS (street text, house int);
      CREATE DOMAIN positive AS int NOT NULL CHECK (VALUE > 0);
      CREATE TABLE a(id positive PRIMARY KEY, n text, d date, j json, jb jsonb, v varchar(3), m numeric(5,1), s smallint, x timestamptz,
        mood mood, moods mood[], place place, bits bit(3), host inet, r int4range, raw bytea);
      INSERT INTO a(id) VALUES (1), (2); CREATE TABLE b(a int PRIMARY KEY REFERENCES a(id) ON UPDATE CASCADE);
      INSERT INTO b VALUES (1);`);
    await bench.tells(async () => {
      for (const sql of [
        'UPDATE a SET n = id',
        'UPDATE a SET j = to_jsonb(5)',
        'UPDATE a SET d = localtimestamp(0)::date, n = 5',
        'UPDATE a SET m = 2.66, s = 3.3',
        'UPDATE a SET s = 99999',
        "UPDATE a SET v = 'abcdef'",
        'UPDATE a SET v = 12345::text',
        "UPDATE a SET mood = 'ok', moods = '{sad,ok}'",
        "UPDATE a SET moods = moods || 'sad'::mood, jb = '{\"a\": 1}', j = jb",
        'UPDATE a SET place = \'("a, ""b",5)\'',
        "UPDATE a SET place = ROW('c', 6), n = 'row'",
        "UPDATE a SET bits = '101', host = '10.0.0.1/8', r = '[1,5)', raw = '\\x00ff'",
        'UPDATE a SET id = 0',
        'UPDATE a SET id = 5.6 WHERE id = 2',
        'UPDATE a SET n = NULL',
        'UPDATE a SET n = (NULL)',
      ]) {
        await bench.same(sql);
      }
      await bench.same('UPDATE a SET v = $1', 'abcd');
      await bench.same('UPDATE a SET n = $1, v = $2 WHERE id = $3', 5, 'a', 1);
      await bench.same('UPDATE a SET m = ($1)', '3.14');
      await bench.same('UPDATE a SET id = $1 WHERE id = $2', 77, 1);
      await bench.same(
        'UPDATE a SET mood = $1, moods = $2, place = $3, jb = $4',
        'sad',
        ['ok'],
        '(x,1)',
        '{"b": [1]}',
      );
    });
  });

  test('is told the same whatever the time zone, and the form of bytes, of the connection', async () => {
    await bench.reset(`CREATE TABLE t(id int PRIMARY KEY, x timestamptz, y timestamp, b bytea);
      INSERT INTO t VALUES (1, '2020-02-03 04:05:06.789+00', '2020-02-03 04:05:06', 'a\\000b'), (2, '1890-01-01', NULL, '\\x5c');`);
    await bench.tells(async () => {
      await bench.same("SET TimeZone = 'Europe/Amsterdam'");
      await bench.same("SET bytea_output = 'escape'");
      await bench.same(
        "UPDATE t SET x = x + interval '1 day', y = y + interval '1 day', b = b || 'q'::bytea",
      );
      await bench.same("SET TimeZone = 'America/St_Johns'");
      await bench.same('DELETE FROM t');
    });
  });

  test('of very wide rows is told whole, or cut and marked', async () => {
    const columns = Array.from({ length: 500 }, (_, at) => `c${at} text`);
    await exact(
      `CREATE TABLE t(id int PRIMARY KEY, ${columns.join(', ')}); INSERT INTO t(id, c1, c499) VALUES (1, 'a', 'b');`,
      "UPDATE t SET c250 = repeat('x', 9000), c0 = 'q'",
      "INSERT INTO t(id, c7) VALUES (1, 'n'), (2, 'n') ON CONFLICT (id) DO UPDATE SET c7 = 'up'",
    );
    await bench.same("UPDATE t SET c1 = repeat('long', 100000) WHERE id = 1");
    const [event] = await bench.events();
    expect(event?.change?.fields).toEqual(['c1']);
    expect(JSON.stringify(event).length).toBeLessThan(70_000);
  });
});
