import { afterAll, beforeAll, expect, test } from 'vitest';
import { describePostgres } from '../../../postgres/test/test-postgres.js';
import { createPostgresBench, type PostgresBench } from './postgres-bench.js';
import { summary } from './summary.js';

const SHOP = `
  CREATE TABLE item(id int PRIMARY KEY, name text, stock int, tags text[]);
  CREATE TABLE archive(id int PRIMARY KEY, name text, stock int, tags text[], gone timestamptz DEFAULT '2020-01-01');
  CREATE TABLE note(id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, item int, text text);
  INSERT INTO item VALUES (1,'a',10,NULL),(2,'b',20,'{x,y}'),(3,NULL,30,'{}'),(4,'d',NULL,'{NULL}');
  INSERT INTO archive VALUES (9,'old',0,NULL);
  INSERT INTO note(item, text) VALUES (1,'one'),(1,'two'),(2,'three');
`;

describePostgres('a statement with queries that write', (server) => {
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

  test('moves rows from one table to another, and both are told', async () => {
    expect(
      await exact(
        SHOP,
        'WITH gone AS (DELETE FROM item WHERE id < 3 RETURNING *) INSERT INTO archive SELECT * FROM gone',
        'WITH gone AS (DELETE FROM item WHERE id = 3 RETURNING *) INSERT INTO archive(id, name) SELECT id, name FROM gone RETURNING archive.id, gone',
        'WITH gone(a, b) AS MATERIALIZED (DELETE FROM item i WHERE id = 4 RETURNING i.id, upper(name) AS n, stock) INSERT INTO archive(id, name) SELECT a, b FROM gone WHERE stock IS NULL RETURNING *',
      ),
    ).toEqual([
      'delete 1',
      'create 1',
      'delete 2',
      'create 2',
      'delete 3',
      'create 3',
      'delete 4',
      'create 4',
    ]);
  });

  test('gives the rows of what stands behind them, and none of its own', async () => {
    await exact(
      SHOP,
      "WITH x AS (UPDATE item SET name = 'x' WHERE id = 1 RETURNING id, name) SELECT * FROM x",
      "WITH x AS (UPDATE item SET name = 'y' WHERE id < 3 RETURNING *) SELECT x.*, x, n.text FROM x LEFT JOIN note n ON n.item = x.id ORDER BY n.text DESC NULLS LAST",
      "WITH x AS (UPDATE item SET name = 'z' WHERE false RETURNING id) SELECT * FROM x",
      'WITH x AS (UPDATE item SET stock = stock + 1 WHERE id = 1) SELECT 1 AS a, 2 AS a, now() IS NOT NULL',
      'WITH x AS (UPDATE item SET stock = stock + 1 WHERE id = 1) SELECT',
      'WITH x AS (UPDATE item SET stock = stock + 1 WHERE id = 1) VALUES (1, NULL), (2, $$b$$)',
      'WITH x AS (UPDATE item SET stock = stock + 1 RETURNING id) TABLE x',
      'WITH x AS (UPDATE item SET stock = stock + 1 RETURNING id, stock) (SELECT id FROM x ORDER BY stock DESC LIMIT 2)',
      'WITH x AS (UPDATE item SET stock = stock + 1 RETURNING id) SELECT count(*), sum(id), (SELECT max(id) FROM x) FROM x HAVING count(*) > 0',
      'WITH x AS (DELETE FROM note RETURNING *) SELECT id FROM x UNION SELECT id FROM item ORDER BY 1',
      'WITH x AS (INSERT INTO note(item) SELECT id FROM item RETURNING id, item) SELECT item.* FROM item JOIN x ON x.item = item.id ORDER BY item.id FOR UPDATE OF item; -- done',
      'WITH x AS (INSERT INTO note(item) VALUES (1) RETURNING note.*, upper(text), item AS "The Item"), y AS (SELECT * FROM x) SELECT * FROM y, x AS z',
      'WITH x AS (DELETE FROM note WHERE id = 4 RETURNING id) SELECT ROW(x.*), x.id::bigint + 1, ARRAY[x.id] FROM x',
    );
  });

  test('counts the rows of what stands behind them', async () => {
    await exact(
      SHOP,
      'WITH x AS (DELETE FROM note RETURNING item) UPDATE item SET stock = 0 WHERE id IN (SELECT item FROM x)',
      'WITH x AS (UPDATE item SET stock = 5 RETURNING id) DELETE FROM archive WHERE id IN (SELECT id FROM x)',
      'WITH x AS (UPDATE item SET stock = 6 RETURNING id) INSERT INTO note(item) SELECT id FROM x',
      'WITH x AS (UPDATE item SET stock = 7 RETURNING id) INSERT INTO note(item) SELECT id FROM x RETURNING id, item',
      "WITH x AS (INSERT INTO note(item) VALUES (1)), y AS (INSERT INTO archive(id) VALUES (2)) UPDATE item SET name = 'n' WHERE id < 3 RETURNING *",
      'WITH x AS (INSERT INTO note(item) VALUES (3)) DELETE FROM note WHERE item = 3',
    );
  });

  test('has each of its writes told in the way of its verb', async () => {
    await exact(
      SHOP,
      `WITH x AS (INSERT INTO item(id, name) VALUES (1, 'u'), (7, 'n') ON CONFLICT (id) DO UPDATE SET name = EXCLUDED.name, stock = item.stock + 1 RETURNING id, name),
        y AS (INSERT INTO archive(id) VALUES (9), (10) ON CONFLICT DO NOTHING RETURNING id),
        z AS (UPDATE note n SET text = i.name FROM item i WHERE i.id = n.item RETURNING n.id)
        DELETE FROM item USING x WHERE item.id = x.id + 1`,
      `WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 3), x AS (UPDATE item SET stock = r.n FROM r WHERE r.n = item.id RETURNING item.id)
        INSERT INTO note(item, text) SELECT n, (SELECT count(*) FROM x)::text FROM r`,
      `WITH q AS (SELECT id FROM item), x AS (WITH p AS (SELECT max(id) AS id FROM item) UPDATE item SET tags = '{t}' WHERE id = (SELECT id FROM p) RETURNING tags) SELECT * FROM x, q ORDER BY 2`,
      "WITH x AS (UPDATE item SET (name, stock) = ('row', 1), tags = NULL WHERE id = 1) UPDATE item SET id = id + 100 WHERE id = 3",
      'WITH x AS (UPDATE item SET id = id + 50 RETURNING id) SELECT id FROM x ORDER BY id',
    );
  });

  test('has the old rows of each of its updates told, also where one reads another', async () => {
    await exact(
      SHOP,
      `WITH x AS (UPDATE item SET stock = stock * 2 RETURNING id, stock), y AS (UPDATE archive SET stock = (SELECT sum(stock) FROM x), name = 'sum' RETURNING stock)
        UPDATE note SET text = (SELECT stock FROM y)::text || (SELECT max(id) FROM x)`,
      `WITH x AS (UPDATE item SET stock = 1 WHERE id = 1 RETURNING id)
        UPDATE item SET stock = 2 + (SELECT count(*) FROM x) WHERE id = 2`,
    );
  });

  test('touches a row once only, as the database does', async () => {
    await exact(
      SHOP,
      'WITH x AS (UPDATE item SET stock = 1 WHERE id = 1 RETURNING id) UPDATE item SET stock = 2 WHERE id = 1',
      'WITH x AS (DELETE FROM item WHERE id = 2 RETURNING id) UPDATE item SET stock = 2 WHERE id = 2 RETURNING id',
      'WITH x AS (UPDATE item SET stock = 1 WHERE id = 1 RETURNING id) DELETE FROM item WHERE id = (SELECT id FROM x)',
      "WITH x AS (INSERT INTO item(id) VALUES (8)) UPDATE item SET name = 'all'",
    );
  });

  test('runs its writes in the order in which the database runs them', async () => {
    await bench.reset(`${SHOP} CREATE TABLE log(id serial PRIMARY KEY, what text);
      CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN INSERT INTO log(what) VALUES (TG_TABLE_NAME || TG_OP || TG_WHEN); RETURN NEW; END $$;
      ${['item', 'archive', 'note']
        .flatMap((table) => [
          `CREATE TRIGGER a BEFORE INSERT OR UPDATE ON ${table} FOR EACH ROW EXECUTE FUNCTION note();`,
          `CREATE TRIGGER b AFTER INSERT OR UPDATE ON ${table} FOR EACH ROW EXECUTE FUNCTION note();`,
          `CREATE TRIGGER c AFTER UPDATE ON ${table} EXECUTE FUNCTION note();`,
        ])
        .join(' ')}`);
    const order = [
      'WITH x AS (UPDATE item SET stock = 1), y AS (UPDATE archive SET stock = 1), z AS (UPDATE note SET item = 1) SELECT 1',
      'WITH x AS (UPDATE item SET stock = 1), y AS (UPDATE archive SET stock = 1) UPDATE note SET item = 1',
      'WITH x AS (UPDATE item SET stock = 2 RETURNING id), y AS (UPDATE archive SET stock = (SELECT max(id) FROM x)) UPDATE note SET item = 2',
      'WITH x AS (UPDATE item SET stock = 3 RETURNING id), y AS (UPDATE archive SET stock = 1 RETURNING id) SELECT * FROM y LIMIT 1',
      'WITH x AS (UPDATE item SET stock = 3 RETURNING id), y AS (UPDATE archive SET stock = 1 RETURNING id) SELECT (SELECT id FROM x LIMIT 1) FROM y LIMIT 0',
    ];
    for (const sql of order) await bench.same(sql);
    await bench.same('SELECT what FROM log ORDER BY id');
    // A key is taken before it is given up.
    await bench.same('WITH x AS (DELETE FROM item WHERE id = 1) INSERT INTO item(id) VALUES (1)');
    await bench.same(
      'WITH x AS (DELETE FROM item WHERE id = 1 RETURNING id) INSERT INTO item(id) SELECT id FROM x',
    );
    await bench.same('WITH x AS (INSERT INTO item(id) VALUES (2)) DELETE FROM item WHERE id = 2');
  });

  test('that gives a key up and takes it is told in this order', async () => {
    expect(
      await exact(
        SHOP,
        "WITH x AS (DELETE FROM item WHERE id IN (1, 2) RETURNING id) INSERT INTO item(id, name) SELECT id, 'new' FROM x",
        'WITH x AS (INSERT INTO item(id) VALUES (3)) DELETE FROM item WHERE id = 3 RETURNING name',
      ),
    ).toEqual(['delete 1', 'create 1', 'delete 2', 'create 2', 'delete 3', 'create 3']);
  });

  test('takes the parameters that it took', async () => {
    await bench.reset(SHOP);
    await bench.tells(async () => {
      await bench.same(
        'WITH x AS (UPDATE item SET name = $1, stock = $2 WHERE id = $3 RETURNING id) INSERT INTO note(item, text) SELECT id, $4 FROM x RETURNING item, $5::int AS five',
        'p',
        5,
        1,
        'q',
        5,
      );
      await bench.same(
        'WITH x AS (DELETE FROM note WHERE item = ANY ($1) RETURNING id) SELECT $2::text AS t FROM x',
        [1, 2],
        't',
      );
    });
  });

  test('fails as it would have failed', async () => {
    await bench.reset(SHOP);
    for (const sql of [
      'WITH x AS (UPDATE item SET stock = 1) SELECT * FROM x',
      'WITH item AS (UPDATE item SET stock = 1) SELECT * FROM item',
      'WITH x AS (UPDATE item SET stock = 1 RETURNING id) SELECT name FROM x',
      'WITH x(a, b) AS (UPDATE item SET stock = 1 RETURNING id) SELECT * FROM x',
      "WITH x AS (UPDATE item SET stock = 'no' RETURNING id) SELECT * FROM x",
      'WITH x AS (INSERT INTO item(id) VALUES (1) RETURNING id) SELECT * FROM x',
      'WITH x AS (SELECT 1), y AS (WITH z AS (DELETE FROM item RETURNING id) SELECT * FROM z) SELECT * FROM y',
      // The random seed 20261123 found it.
      'WITH x AS (DELETE FROM item) WITH q AS (SELECT 1) UPDATE item SET stock = 1',
      'WITH x AS (DELETE FROM nowhere RETURNING *) INSERT INTO item SELECT * FROM x',
      'WITH x AS (DELETE FROM item RETURNING *) INSERT INTO nowhere SELECT * FROM x',
    ]) {
      await bench.same(sql);
    }
    expect((await bench.events()).map(summary)).toEqual([]);
  });

  test('that keeps a name which can not be told is marked', async () => {
    await bench.reset(SHOP);
    const reason = 'a query of WITH that returns columns whose names its text does not tell';
    await bench.same(
      'WITH x AS (UPDATE item SET stock = 1 WHERE id = 1 RETURNING stock + 1) SELECT * FROM x',
    );
    await bench.same(
      'WITH x AS (UPDATE item SET stock = 2 FROM note n WHERE n.item = item.id RETURNING *) SELECT count(*) FROM x',
    );
    expect((await bench.events()).map(summary)).toEqual([`opaque item: ${reason}`, `opaque item: ${reason}`]);
    // Where nobody reads them, their names do not matter.
    await bench.tells(() =>
      bench.same('WITH x AS (UPDATE item SET stock = 3 WHERE id = 1 RETURNING stock + 1) DELETE FROM note'),
    );
  });

  // The random seed 20261123 found it.
  test('of which several write to one table gives what it gave, and is marked', async () => {
    await bench.reset(SHOP);
    await bench.same(
      `WITH gone AS (DELETE FROM item RETURNING *), up AS (INSERT INTO item(id, name) VALUES (1, 'new'), (8, 'in')
        ON CONFLICT (id) DO UPDATE SET name = item.name || 'x' RETURNING *) DELETE FROM note`,
    );
    expect((await bench.events()).map(summary)).toEqual([
      'opaque item: several queries of WITH that write to "item"',
    ]);
    await bench.same('SELECT * FROM item ORDER BY id');
  });

  test('that touches more rows than are imaged is counted, and refused by strict', async () => {
    await bench.reset(SHOP);
    const few = await bench.open({ maxRows: 2 });
    const sql =
      'WITH x AS (UPDATE item SET stock = 1 RETURNING id) DELETE FROM note WHERE item IN (SELECT id FROM x)';
    expect((await few.run(sql)).count).toBe(3);
    expect((await bench.events()).map(({ details, change }) => [change?.fidelity, details?.rows])).toEqual([
      ['count-only', 4],
      ['count-only', 3],
    ]);
    expect(
      (await few.run('WITH x AS (UPDATE item SET stock = 2 RETURNING id) SELECT id FROM x ORDER BY id')).rows,
    ).toEqual([['1'], ['2'], ['3'], ['4']]);
    expect(
      (
        await few.run(
          "WITH x AS (UPDATE item SET stock = 3 WHERE id = 1) UPDATE archive SET name = 'n' RETURNING id",
        )
      ).rows,
    ).toEqual([['9']]);
    expect((await bench.events()).map(({ change }) => change?.fidelity)).toEqual([
      'count-only',
      'exact',
      'exact',
    ]);
    const strict = await bench.open({ maxRows: 2, strict: true });
    await strict.transaction(async (caller) => {
      await expect(caller.run(sql)).rejects.toMatchObject({ code: 'AUDIT_NOT_EXACT' });
      await caller.run("UPDATE item SET name = 'goes on' WHERE id = 1");
    });
    expect((await bench.events()).map(summary)).toEqual(['update 1 name']);
  });

  const FAMILY = `
    CREATE TABLE person(id int PRIMARY KEY, name text, parent int REFERENCES person ON DELETE SET NULL);
    CREATE TABLE visit(id int PRIMARY KEY, person int REFERENCES person ON DELETE CASCADE ON UPDATE CASCADE, note text);
    CREATE TABLE archive(id int PRIMARY KEY, name text);
    INSERT INTO person VALUES (1,'Ada',NULL),(2,'Bo',1),(3,'Cy',1),(4,'Di',3);
    INSERT INTO visit VALUES (10,1,'x'),(11,1,'y'),(12,2,'z'),(13,4,'w');
  `;

  test('whose foreign keys reach further rows is told with them', async () => {
    expect(
      await exact(
        FAMILY,
        'WITH gone AS (DELETE FROM person WHERE id = 1 RETURNING *) INSERT INTO archive SELECT id, name FROM gone',
        "WITH old AS (SELECT 2 AS id), gone AS (DELETE FROM person USING old WHERE person.id = old.id) UPDATE visit SET note = 'n' WHERE id > 11 RETURNING id",
        'WITH moved AS (UPDATE person SET id = id + 10 WHERE id = 4) DELETE FROM person WHERE id = 3 RETURNING id',
        'WITH late AS (UPDATE visit SET person = NULL) DELETE FROM person RETURNING id',
      ),
    ).toEqual([
      'delete 1',
      'update 2 parent',
      'update 3 parent',
      'delete 10',
      'delete 11',
      'create 1',
      'delete 12',
      'delete 2',
      'update 13 note',
      'delete 3',
      'update 4 to 14 id,parent',
      'update 13 person',
      'delete 14',
      'update 13 person',
    ]);
  });

  test('whose foreign keys may reach what it inserts, or rows that another of its writes gives, is marked', async () => {
    await bench.reset(FAMILY);
    const marked = 'opaque person: the foreign keys that point at "person"';
    await bench.same(
      'WITH gone AS (DELETE FROM person WHERE id = 1 RETURNING id) INSERT INTO visit SELECT 20, 2 FROM gone',
    );
    expect((await bench.events()).map(summary)).toEqual(['delete 1', 'create 20', marked]);
    await bench.same(
      "WITH up AS (UPDATE visit SET note = 'up' RETURNING person) DELETE FROM person WHERE id IN (SELECT person FROM up)",
    );
    expect((await bench.events()).map(summary)).toContain(marked);
  });

  test('that merges is told on PostgreSQL 18, with the rows that foreign keys reach', async () => {
    const merge = (actions: string): string =>
      `MERGE INTO person p USING (VALUES (1, 21), (2, NULL), (9, 9)) AS s(id, next) ON p.id = s.id ${actions}`;
    const sent = [
      merge(
        'WHEN MATCHED AND s.next IS NULL THEN DELETE WHEN MATCHED THEN UPDATE SET name = CASE WHEN s.next > 1 THEN name END, id = s.next',
      ),
      `${merge('WHEN NOT MATCHED THEN DO NOTHING WHEN MATCHED AND p.id > 1 THEN DELETE')} ${bench.version < 18 ? '' : 'RETURNING p.id'}`,
    ];
    if (bench.version < 18) {
      await bench.reset(FAMILY);
      for (const sql of sent) await bench.same(sql);
      expect(new Set((await bench.events()).map(summary))).toEqual(
        new Set(['opaque person: a MERGE into "person"']),
      );
    } else {
      expect(
        await exact(FAMILY.replace('ON DELETE SET NULL', 'ON DELETE SET NULL ON UPDATE CASCADE'), ...sent),
      ).toContain('update 1 to 21 id');
      // What it inserts, a foreign key of the table to itself may reach.
      await bench.same(merge('WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT (id) VALUES (s.id)'));
      expect((await bench.events()).map(summary)).toContain(
        'opaque person: the foreign keys that point at "person"',
      );
    }
  });
});
