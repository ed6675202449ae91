import { afterAll, beforeAll, expect, test } from 'vitest';
import { describePostgres } from '../../../postgres/test/test-postgres.js';
import { createPostgresBench, type PostgresBench } from './postgres-bench.js';
import { summary } from './summary.js';

const PEOPLE = `
  CREATE TABLE person(id int PRIMARY KEY, name text, age int DEFAULT 18, extra text DEFAULT 's',
    double int GENERATED ALWAYS AS (age * 2) STORED);
  CREATE TABLE visit(id int PRIMARY KEY, person int REFERENCES person ON DELETE CASCADE ON UPDATE CASCADE, note text);
  INSERT INTO person(id, name, age) VALUES (1,'Ada',30),(2,'Bo',40),(3,'Cy',50),(4,NULL,NULL);
  INSERT INTO visit VALUES (10,1,'x'),(11,2,'y');
  CREATE VIEW adult AS SELECT id, name, age FROM person WHERE age > 17;
  CREATE VIEW renamed AS SELECT p.name AS "Name", upper(p.name) AS loud, p.id AS pid FROM person AS p;
  CREATE VIEW checked WITH (security_barrier) AS SELECT * FROM person WHERE age < 45 WITH CHECK OPTION;
  CREATE VIEW nested AS SELECT pid AS key, "Name" AS n FROM renamed WHERE pid < 3 WITH CASCADED CHECK OPTION;
`;

describePostgres('a write through a view', (server) => {
  let bench: PostgresBench;
  beforeAll(async () => {
    bench = await createPostgresBench(server);
  });
  afterAll(() => bench.close());

  /** Each gives the caller what it gives without auditing, and is told exactly. */
  async function exact(schema: string, ...statements: readonly string[]) {
    await bench.reset(schema);
    const all = [];
    for (const sql of statements) all.push(...(await bench.tells(() => bench.same(sql))));
    return all.map(summary);
  }

  test('is told as what it is, a write on the table beneath', async () => {
    expect(
      await exact(
        PEOPLE,
        "UPDATE adult SET name = 'Eve' WHERE id = 1",
        'UPDATE adult SET age = age + 1 RETURNING id, age',
        'DELETE FROM adult WHERE id = 3 RETURNING *',
        "INSERT INTO adult(id, name) VALUES (7, 'Gus'), (8, NULL) RETURNING age",
        'INSERT INTO adult SELECT id + 100, name, 5 FROM person WHERE id < 3',
      ),
    ).toEqual([
      'update 1 name',
      'update 2 age,double',
      'update 3 age,double',
      'update 1 age,double',
      'delete 3',
      'create 7',
      'create 8',
      'create 101',
      'create 102',
    ]);
  });

  test('is told under the names of the table, also through a view of a view', async () => {
    expect(
      await exact(
        PEOPLE,
        `UPDATE renamed SET "Name" = 'Eve' WHERE loud = 'ADA'`,
        `UPDATE nested n SET n = 'Eva' FROM visit v WHERE v.person = n.key RETURNING n.n, v.id`,
        `UPDATE nested SET key = key + 10 WHERE key = 1`,
        `UPDATE renamed SET pid = pid + 10 WHERE pid = 1`,
        `DELETE FROM renamed USING visit WHERE visit.person = pid AND pid = 2`,
        `INSERT INTO renamed(pid, "Name") VALUES (2, 'B') ON CONFLICT DO NOTHING`,
        `INSERT INTO renamed(pid, "Name") VALUES (2, 'B') ON CONFLICT DO NOTHING`,
        `WITH q AS (SELECT 4 AS id) UPDATE renamed SET "Name" = 'four' FROM q WHERE pid = q.id`,
      ),
    ).toEqual([
      'update 1 name',
      'update 1 name',
      'update 2 name',
      'update 1 to 11 id',
      'update 10 person',
      'delete 2',
      'delete 11',
      'create 2',
      'update 4 name',
    ]);
  });

  test('that its CHECK OPTION refuses fails as it would have failed', async () => {
    await bench.reset(PEOPLE);
    await bench.same('UPDATE checked SET age = 100 WHERE id = 1');
    await bench.same('INSERT INTO checked(id, age) VALUES (9, 46)');
    await bench.same('UPDATE nested SET key = 99 WHERE key = 1');
    await bench.same('UPDATE renamed SET loud = 1');
    expect(await bench.events()).toEqual([]);
    await bench.tells(() => bench.same('UPDATE checked SET age = 44, extra = NULL WHERE id = 1'));
  });

  test('with parameters, and in a transaction with savepoints, is told', async () => {
    await bench.reset(PEOPLE);
    await bench.tells(async () => {
      await bench.same('UPDATE adult SET name = $1 WHERE id = $2 RETURNING name', 'p', 1);
      await bench.same('BEGIN');
      await bench.same('UPDATE adult SET name = $1', 'q');
      await bench.same('SAVEPOINT s');
      await bench.same('DELETE FROM adult');
      await bench.same('ROLLBACK TO s');
      await bench.same('DELETE FROM adult WHERE id = 2');
      await bench.same('COMMIT');
    });
  });

  test('is told with what triggers of the table make of it', async () => {
    await exact(
      `${PEOPLE} CREATE FUNCTION edits() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN IF NEW.id = 2 THEN RETURN NULL; END IF; NEW.extra := NEW.name || '!'; RETURN NEW; END $$;
      CREATE TRIGGER edits BEFORE INSERT OR UPDATE ON person FOR EACH ROW EXECUTE FUNCTION edits();`,
      "UPDATE adult SET name = 'all'",
      "INSERT INTO adult VALUES (2, 'none', 1), (20, 'one', 1)",
    );
  });

  test('of rows that others change meanwhile is told as they were when it came to them', async () => {
    await bench.reset(PEOPLE);
    const other = await bench.open();
    await bench.tells(async () => {
      await other.run('BEGIN');
      await other.run("UPDATE person SET name = 'first', age = 60 WHERE id = 1");
      await other.run('UPDATE person SET age = 20 WHERE id = 4');
      const waiting = bench.run('UPDATE adult SET age = age + 1');
      await new Promise((resolve) => setTimeout(resolve, 100));
      await other.run('COMMIT');
      await waiting;
    });
  });

  test('that can not be seen through is marked', async () => {
    await bench.reset(`${PEOPLE}
      CREATE VIEW keyless AS SELECT name FROM person;
      CREATE VIEW ruled AS SELECT * FROM person; CREATE RULE r AS ON UPDATE TO ruled DO INSTEAD NOTHING;
      CREATE VIEW counted AS SELECT id, name FROM person WHERE id IN (SELECT person FROM visit);`);
    for (const [sql, view] of [
      ["UPDATE keyless SET name = 'k'", 'keyless'],
      ["UPDATE ruled SET name = 'k'", 'ruled'],
      ["UPDATE counted SET name = 'k'", 'counted'],
      ["INSERT INTO adult(id, name) VALUES (1, 'u') ON CONFLICT (id) DO UPDATE SET name = 'u'", 'adult'],
    ] as const) {
      await bench.same(sql);
      expect((await bench.events()).map(summary)).toEqual([`opaque ${view}: the view "${view}"`]);
    }
  });
});
